variable "pusher_role_arn" {
  description = "ARN of the function's execution role, function_role_arn of its module. Only this role may assume the new role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]+$", var.pusher_role_arn))
    error_message = "pusher_role_arn must be the ARN of an IAM role (arn:aws:iam::...:role/...)."
  }
}

variable "external_id" {
  description = "External id that the function must use: the externalId of the registry in the documents. Choose a value, such as a UUID."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@:/_-]+$", var.external_id)) && length(var.external_id) >= 8 && length(var.external_id) <= 128
    error_message = "external_id must be 8 to 128 letters, digits or any of + = , . @ : / _ -"
  }
}

variable "role_name" {
  description = "Name of the role, without a path. pull_role_name of the function's module must be role_path, without its leading slash, followed by this name."
  type        = string
  default     = "ecr-public-pusher-pull"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "role_name must be the name of an IAM role."
  }
}

variable "repository_arns" {
  description = "ARNs of the repositories to pull from, in any regions. Use * within a name for several repositories."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.repository_arns) > 0 && alltrue([for arn in var.repository_arns : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9*][a-z0-9._/*-]{0,255}$", arn))])
    error_message = "repository_arns must be ARNs of ECR repositories (arn:aws:ecr:...:repository/...)."
  }
}

variable "pull_through_cache" {
  description = "true: the first pull of an image through a pull-through cache may import it and create its repository."
  type        = bool
  default     = false
  nullable    = false
}

variable "permissions_boundary_arn" {
  description = "ARN of the role's permissions boundary, if your organization requires one."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[a-zA-Z0-9+=,.@_/-]+)?$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be empty or the ARN of an IAM policy (arn:aws:iam::...:policy/...)."
  }
}

variable "role_path" {
  description = "Path of the role, such as /teams/platform/, if your organization requires one."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(/([a-zA-Z0-9+=,.@_-]+/)*)?$", var.role_path)) && length(var.role_path) <= 512
    error_message = "role_path must be empty or a path that begins and ends with a slash."
  }
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
  nullable    = false
}
