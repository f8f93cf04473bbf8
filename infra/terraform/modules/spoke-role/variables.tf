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
  description = "External id that the function must use: the externalId of the clusters' documents. Choose a value, such as a UUID."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@:/_-]+$", var.external_id)) && length(var.external_id) >= 8 && length(var.external_id) <= 128
    error_message = "external_id must be 8 to 128 letters, digits or any of + = , . @ : / _ -"
  }
}

variable "role_name" {
  description = "Name of the role, without a path. assumable_role_name of the function's module must be role_path, without its leading slash, followed by this name."
  type        = string
  default     = "ecr-public-pusher-spoke"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "role_name must be the name of an IAM role."
  }
}

variable "cluster_arns" {
  description = "ARNs of the EKS clusters of this account that the function serves, in any regions. Empty: no clusters by name."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.cluster_arns : arn != "" && can(regex("^(arn:aws[a-z-]*:eks:[a-z0-9-]+:[0-9]{12}:cluster/[0-9A-Za-z][A-Za-z0-9_-]{0,99})?$", arn))])
    error_message = "cluster_arns must be ARNs of EKS clusters (arn:aws:eks:...:cluster/...), without wildcards."
  }
}

variable "discovery" {
  description = "true: the function may list and describe all clusters of this account, to find clusters by tag."
  type        = bool
  default     = false
  nullable    = false
}

variable "web_identity" {
  description = "true: the function may request this account's web identity tokens, for documents with this roleArn and signIn webIdentity or google."
  type        = bool
  default     = false
  nullable    = false
}

variable "kubeconfig_path" {
  description = "Common prefix of this account's secrets that contain kubeconfigs, such as /ecr-public-pusher. Empty: the function may read no secret."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((/[a-zA-Z0-9_.-]+){1,13})?$", var.kubeconfig_path))
    error_message = "kubeconfig_path must be empty or one to 13 levels such as /ecr-public-pusher, without a slash at the end."
  }
}

variable "kubeconfig_kms_key_arn" {
  description = "ARN of the customer managed KMS key of those secrets. Empty: the secrets use the AWS managed key aws/secretsmanager."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+)?$", var.kubeconfig_kms_key_arn))
    error_message = "kubeconfig_kms_key_arn must be empty or the ARN of a KMS key (arn:aws:kms:...:key/...), not of an alias."
  }
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
