variable "pusher_role_arn" {
  description = "ARN of the function's execution role, function_role_arn of its module. Nobody else may assume the role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]+$", var.pusher_role_arn))
    error_message = "pusher_role_arn must be the ARN of an IAM role (arn:aws:iam::...:role/...)."
  }
}

variable "external_id" {
  description = "External id that the function must name: the externalId of the clusters' documents. A value of your own, such as a UUID."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@:/_-]+$", var.external_id)) && length(var.external_id) >= 8 && length(var.external_id) <= 128
    error_message = "external_id must be 8 to 128 letters, digits or any of + = , . @ : / _ -"
  }
}

variable "role_name" {
  description = "Name of the role, the same as assumable_role_name of the function's module, without a path."
  type        = string
  default     = "ecr-public-pusher-spoke"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "role_name must be the name of an IAM role."
  }
}

variable "cluster_arns" {
  description = "ARNs of the clusters of this account that the function is to serve, in any regions."
  type        = list(string)

  validation {
    condition     = length(var.cluster_arns) > 0 && alltrue([for arn in var.cluster_arns : can(regex("^arn:aws[a-z-]*:eks:[a-z0-9-]+:[0-9]{12}:cluster/[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", arn))])
    error_message = "cluster_arns must be ARNs of EKS clusters (arn:aws:eks:...:cluster/...), without wildcards."
  }
}

variable "discovery" {
  description = "true: the function may list and describe all clusters of this account, to find those to serve by their tags."
  type        = bool
  default     = false
  nullable    = false
}

variable "web_identity" {
  description = "true: the function may ask for this account's web identity tokens, for documents with this roleArn and signIn webIdentity."
  type        = bool
  default     = false
  nullable    = false
}

variable "kubeconfig_path" {
  description = "Beginning of the names of this account's secrets that hold kubeconfigs, such as /ecr-public-pusher. Empty: the function may read none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((/[a-zA-Z0-9_.-]+){1,13})?$", var.kubeconfig_path))
    error_message = "kubeconfig_path must be empty or one to 13 levels such as /ecr-public-pusher, without a slash at the end."
  }
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
  nullable    = false
}
