# --- the deployment

variable "stack_name" {
  description = "Name of the CloudFormation stack, which the metrics and the owner in each Secret bear too."
  type        = string
  default     = "ecr-public-pusher"
  nullable    = false
}

variable "package" {
  description = "Path of the function's zip, as make package builds it for the same architecture."
  type        = string
  nullable    = false
}

variable "bucket" {
  description = "Name of a bucket of yours, in the stack's region, for the zip and the template."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Folder for them in the bucket, without slashes around it."
  type        = string
  default     = "ecr-public-pusher"
  nullable    = false
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation puts on what it holds, and of the parameters."
  type        = map(string)
  default     = {}
  nullable    = false
}

# --- the configuration. Any type: documents differ in their fields, which a map's values must not.

variable "defaults" {
  description = "What holds for all clusters, written to <config_path>/defaults. null: no such parameter, or it is managed elsewhere."
  type        = any
  default     = null

  validation {
    condition     = var.defaults == null || can(keys(var.defaults))
    error_message = "defaults must be an object, such as { namespaces = [\"default\"] }."
  }
}

variable "clusters" {
  description = "The clusters' documents by their <id>, each written to <config_path>/clusters/<id>."
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can([for document in values(var.clusters) : keys(document)])
    error_message = "clusters must be an object of objects, such as { prod = { namespaces = [\"default\"] } }."
  }

  validation {
    condition     = try(alltrue([for id in keys(var.clusters) : can(regex("^[A-Za-z0-9_.-]+$", id))]), false)
    error_message = "An id is letters, digits, - _ and . only."
  }
}

variable "discover" {
  description = "Documents that find clusters by tag, by their <id>, each written to <config_path>/discover/<id>."
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can([for document in values(var.discover) : keys(document)])
    error_message = "discover must be an object of objects, such as { platform = { regions = [\"us-east-1\"], tags = { team = \"web\" } } }."
  }

  validation {
    condition     = try(alltrue([for id in keys(var.discover) : can(regex("^[A-Za-z0-9_.-]+$", id))]), false)
    error_message = "An id is letters, digits, - _ and . only."
  }
}

# --- the template's parameters. What is not checked here CloudFormation checks, before it makes or changes anything.

variable "config_path" {
  description = "Path of the configuration in Parameter Store, without a slash at the end."
  type        = string
  default     = "/ecr-public-pusher"
  nullable    = false

  validation {
    condition     = var.config_path != ""
    error_message = "config_path must not be empty."
  }
}

variable "schedule" {
  description = "When all clusters get a fresh token: a rate or cron expression of EventBridge Scheduler, in UTC."
  type        = string
  default     = "rate(8 hours)"
  nullable    = false

  validation {
    condition     = var.schedule != ""
    error_message = "schedule must not be empty."
  }
}

variable "sweep_schedule" {
  description = "When all clusters are looked at between two pushes, and what lacks its Secret or holds one that is about to end is corrected: a rate or cron expression. Empty or none: never."
  type        = string
  default     = "rate(5 minutes)"
  nullable    = false
}

variable "sweep_window_minutes" {
  description = "Where the function may not list its Secrets, a sweep serves namespaces created within this many minutes."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.sweep_window_minutes >= 5 && var.sweep_window_minutes <= 1440
    error_message = "sweep_window_minutes must be 5 to 1440."
  }
}

variable "fan_out" {
  description = "true: a push only puts messages of ten clusters each on the retry queue, and workers push them. For fleets too large for one run."
  type        = bool
  default     = false
  nullable    = false
}

variable "maximum_concurrency" {
  description = "Invocations that the retry queue may start at once."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency must be 2 to 1000."
  }
}

variable "alarm_email" {
  description = "E-mail address that hears of alarms, and must confirm once. Not together with alarm_topic_arn."
  type        = string
  default     = ""
  nullable    = false
}

variable "alarm_topic_arn" {
  description = "ARN of an SNS topic of yours that gets the alarms instead of one of the stack's own."
  type        = string
  default     = ""
  nullable    = false
}

variable "alarm_after_hours" {
  description = "Whole hours without a completed full push after which the alarm comes."
  type        = number
  default     = 9
  nullable    = false

  validation {
    condition     = contains([2, 3, 4, 5, 6, 7, 8, 9, 10], var.alarm_after_hours)
    error_message = "alarm_after_hours must be one of 2, 3, 4, 5, 6, 7, 8, 9, 10."
  }
}

variable "runbook_url" {
  description = "Address of the runbook that alarms and the dashboard name, without a fragment; by default its place in this repository."
  type        = string
  default     = "docs/runbook.md"
  nullable    = false

  validation {
    condition     = var.runbook_url != ""
    error_message = "runbook_url must not be empty."
  }
}

variable "assumable_role_name" {
  description = "Name (with its path, if any) of the only roles that the function may assume to sign in to clusters, and to find them."
  type        = string
  default     = "ecr-public-pusher-spoke"
  nullable    = false

  validation {
    condition     = var.assumable_role_name != ""
    error_message = "assumable_role_name must not be empty."
  }
}

variable "pull_role_name" {
  description = "Name (with its path, if any) of the only roles with which the function may ask for private registries' tokens."
  type        = string
  default     = "ecr-public-pusher-pull"
  nullable    = false

  validation {
    condition     = var.pull_role_name != ""
    error_message = "pull_role_name must not be empty."
  }
}

variable "allowed_accounts" {
  description = "AWS accounts whose roles of these two names the function may assume, and no others. Empty: the stack's own. [\"*\"]: any."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "allowed_endpoints" {
  description = "Hosts of API servers that are not EKS's, by name or glob: the only ones that documents may send tokens to. A path is named, too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for entry in var.allowed_endpoints :
      can(regex("^(([a-z0-9*?-]+\\.)*[a-z0-9-]+\\.[a-z0-9-]+|([0-9]{1,3}\\.){3}[0-9]{1,3}|\\[[0-9a-f:]+\\])(/[A-Za-z][A-Za-z0-9_*?-]*(/[A-Za-z0-9_*?-]+)*)?$", entry))
    ])
    error_message = "An entry is a host or a glob such as *.k8s.example.com, in lower case, without scheme and port, or such a one with a path."
  }
}

variable "config_kms_key_arn" {
  description = "ARN of the customer KMS key of SecureString parameters and of kubeconfigs in Secrets Manager, if any."
  type        = string
  default     = ""
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of a customer KMS key for the logs, the queues and the alarm topic, if any."
  type        = string
  default     = ""
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that bounds what the stack's two roles may do, where your organization demands one."
  type        = string
  default     = ""
  nullable    = false
}

variable "role_path" {
  description = "Path of the stack's two roles, such as /teams/platform/. Changed later, it replaces the execution role by one of another ARN."
  type        = string
  default     = ""
  nullable    = false
}

variable "architecture" {
  description = "Processor architecture of the function. Give make package the same value."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be one of arm64, x86_64."
  }
}

variable "memory_size" {
  description = "Memory of the function in MB."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size must be 128 to 10240."
  }
}

variable "timeout" {
  description = "Time-out of the function in seconds."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = contains([60, 120, 300, 600, 900], var.timeout)
    error_message = "timeout must be one of 60, 120, 300, 600, 900."
  }
}

variable "reserved_concurrency" {
  description = "Concurrency set aside for the function. 0: none; otherwise at least maximum_concurrency + 3."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.reserved_concurrency >= 0 && var.reserved_concurrency <= 1000
    error_message = "reserved_concurrency must be 0 to 1000."
  }
}

variable "log_level" {
  description = "Least level that is logged."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level must be one of INFO, WARN, ERROR."
  }
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "subnet_ids" {
  description = "Private subnets for the function, with a way to the internet. Empty: it runs in no VPC."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "security_group_ids" {
  description = "Security groups for the function. Given exactly when subnets are."
  type        = list(string)
  default     = []
  nullable    = false
}
