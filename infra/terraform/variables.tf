# --- the deployment

variable "stack_name" {
  description = "Name of the CloudFormation stack. The metrics and the owner annotation of each Secret contain it."
  type        = string
  default     = "ecr-public-pusher"
  nullable    = false
}

variable "package" {
  description = "Path of the function's zip, which make package builds for the same architecture."
  type        = string
  nullable    = false
}

variable "bucket" {
  description = "Name of your bucket, in the stack's region, for the zip and the template."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Folder in the bucket for the zip and the template, without leading and trailing slashes."
  type        = string
  default     = "ecr-public-pusher"
  nullable    = false
}

variable "tags" {
  description = "Tags of the parameters and of the stack. CloudFormation adds them to the stack's resources."
  type        = map(string)
  default     = {}
  nullable    = false
}

# --- the configuration. The type is any, because documents differ in their fields, and a map's values may not.

variable "defaults" {
  description = "Settings for all clusters, written to <config_path>/defaults. null: there is no such parameter, or it is managed elsewhere."
  type        = any
  default     = null

  validation {
    condition     = var.defaults == null || can(keys(var.defaults))
    error_message = "defaults must be an object, such as { namespaces = [\"default\"] }."
  }
}

variable "clusters" {
  description = "The clusters' documents by <id>, each written to <config_path>/clusters/<id>."
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can([for document in values(var.clusters) : keys(document)])
    error_message = "clusters must be an object of objects, such as { prod = { namespaces = [\"default\"] } }."
  }

  validation {
    condition     = try(alltrue([for id in keys(var.clusters) : can(regex("^[A-Za-z0-9_.-]+$", id))]), false)
    error_message = "An id may contain only letters, digits, - _ and ."
  }
}

variable "discover" {
  description = "Documents that find clusters by tag, by <id>, each written to <config_path>/discover/<id>."
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = can([for document in values(var.discover) : keys(document)])
    error_message = "discover must be an object of objects, such as { platform = { regions = [\"us-east-1\"], tags = { team = \"web\" } } }."
  }

  validation {
    condition     = try(alltrue([for id in keys(var.discover) : can(regex("^[A-Za-z0-9_.-]+$", id))]), false)
    error_message = "An id may contain only letters, digits, - _ and ."
  }
}

# --- the template's parameters. CloudFormation checks everything else before it creates or changes anything.

variable "config_path" {
  description = "Path of the configuration in Parameter Store, without a trailing slash."
  type        = string
  default     = "/ecr-public-pusher"
  nullable    = false

  validation {
    condition     = var.config_path != ""
    error_message = "config_path must not be empty."
  }
}

variable "schedule" {
  description = "Schedule of the push, which gives all clusters a fresh token: a rate or cron expression of EventBridge Scheduler, in UTC."
  type        = string
  default     = "rate(8 hours)"
  nullable    = false

  validation {
    condition     = var.schedule != ""
    error_message = "schedule must not be empty."
  }
}

variable "sweep_schedule" {
  description = "Schedule of the sweep between two pushes, which creates missing Secrets and renews those that are about to expire: a rate or cron expression. Empty or none: no sweep."
  type        = string
  default     = "rate(5 minutes)"
  nullable    = false
}

variable "sweep_window_minutes" {
  description = "In clusters where the function may not list its Secrets, a sweep serves namespaces created within this many minutes."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.sweep_window_minutes >= 5 && var.sweep_window_minutes <= 1440
    error_message = "sweep_window_minutes must be 5 to 1440."
  }
}

variable "fan_out" {
  description = "true: a push only puts messages on the retry queue, and workers push the clusters. Each worker reads the whole configuration, so for many clusters, raise memory_size instead."
  type        = bool
  default     = false
  nullable    = false
}

variable "maximum_concurrency" {
  description = "Maximum number of concurrent invocations from the retry queue."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency must be 2 to 1000."
  }
}

variable "batch_size" {
  description = "Maximum number of messages of the retry queue for one invocation. Large fleets need more than 10 to stay below the request rate of Parameter Store."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.batch_size >= 10 && var.batch_size <= 1000
    error_message = "batch_size must be 10 to 1000."
  }
}

variable "alarm_email" {
  description = "E-mail address that receives the alarms. It must confirm the subscription once. Cannot be combined with alarm_topic_arn."
  type        = string
  default     = ""
  nullable    = false
}

variable "alarm_topic_arn" {
  description = "ARN of your own SNS topic that receives the alarms instead of the stack's topic."
  type        = string
  default     = ""
  nullable    = false
}

variable "alarm_after_hours" {
  description = "Whole hours without a completed full push until the alarm goes off."
  type        = number
  default     = 9
  nullable    = false

  validation {
    condition     = contains([2, 3, 4, 5, 6, 7, 8, 9, 10], var.alarm_after_hours)
    error_message = "alarm_after_hours must be one of 2, 3, 4, 5, 6, 7, 8, 9, 10."
  }
}

variable "cluster_metrics" {
  description = "true: each cluster has its own metrics, which CloudWatch bills, and the alarm cluster-failed names clusters. false: only the run has metrics. Use false for fleets of hundreds of clusters."
  type        = bool
  default     = true
  nullable    = false
}

variable "runbook_url" {
  description = "Address of the runbook, without a fragment. Alarms and the dashboard refer to it. By default, it is the file's path in this repository."
  type        = string
  default     = "docs/runbook.md"
  nullable    = false

  validation {
    condition     = var.runbook_url != ""
    error_message = "runbook_url must not be empty."
  }
}

variable "assumable_role_name" {
  description = "Name (with its path, if any) of the only roles that the function may assume to find clusters and to sign in to them."
  type        = string
  default     = "ecr-public-pusher-spoke"
  nullable    = false

  validation {
    condition     = var.assumable_role_name != ""
    error_message = "assumable_role_name must not be empty."
  }
}

variable "pull_role_name" {
  description = "Name (with its path, if any) of the only roles with which the function may request private registries' tokens."
  type        = string
  default     = "ecr-public-pusher-pull"
  nullable    = false

  validation {
    condition     = var.pull_role_name != ""
    error_message = "pull_role_name must not be empty."
  }
}

variable "allowed_accounts" {
  description = "AWS accounts in which the function may assume roles of these two names. Empty: only the stack's own account. [\"*\"]: any account."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "allowed_endpoints" {
  description = "Hosts of API servers outside of EKS, by name or glob. Documents may have tokens sent only to these hosts. For a server behind a path, add the path."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for entry in var.allowed_endpoints :
      can(regex("^(([a-z0-9*?-]+\\.)*[a-z0-9-]+\\.[a-z0-9-]+|([0-9]{1,3}\\.){3}[0-9]{1,3}|\\[[0-9a-f:]+\\])(/[A-Za-z][A-Za-z0-9_*?-]*(/[A-Za-z0-9_*?-]+)*)?$", entry))
    ])
    error_message = "An entry must be a host or a glob such as *.k8s.example.com, in lower case, without scheme and port, optionally with a path."
  }
}

variable "config_kms_key_arn" {
  description = "ARN of the customer managed KMS key that encrypts SecureString parameters and kubeconfigs in Secrets Manager, if any."
  type        = string
  default     = ""
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of a customer managed KMS key for the logs, the queues and the alarm topic, if any."
  type        = string
  default     = ""
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the stack's two roles, if your organization requires one."
  type        = string
  default     = ""
  nullable    = false
}

variable "role_path" {
  description = "Path of the stack's two roles, such as /teams/platform/. If you change it later, the execution role is replaced by one with another ARN."
  type        = string
  default     = ""
  nullable    = false
}

variable "architecture" {
  description = "Processor architecture of the function. Use the same value for make package."
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
  description = "Timeout of the function in seconds."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = contains([60, 120, 300, 600, 900], var.timeout)
    error_message = "timeout must be one of 60, 120, 300, 600, 900."
  }
}

variable "reserved_concurrency" {
  description = "Reserved concurrency of the function. 0: none. Otherwise, set at least maximum_concurrency + 3."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.reserved_concurrency >= 0 && var.reserved_concurrency <= 1000
    error_message = "reserved_concurrency must be 0 to 1000."
  }
}

variable "log_level" {
  description = "Minimum level that is logged."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level must be one of INFO, WARN, ERROR."
  }
}

variable "log_retention_days" {
  description = "Number of days to keep logs."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "subnet_ids" {
  description = "Private subnets for the function, with internet access. Empty: the function is not in a VPC."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "security_group_ids" {
  description = "Security groups for the function. Required with subnet_ids, and only then."
  type        = list(string)
  default     = []
  nullable    = false
}
