variable "cluster_name" {
  description = "Name of the EKS cluster, in the provider's account and region. Its authentication mode must be API or API_AND_CONFIG_MAP."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name must be the name of an EKS cluster, not its ARN."
  }
}

variable "principal_arn" {
  description = "ARN of the role that signs in: function_role_arn or, if the cluster's document has a roleArn, that role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]+$", var.principal_arn))
    error_message = "principal_arn must be the ARN of an IAM role (arn:aws:iam::...:role/...)."
  }
}

variable "kubernetes_group" {
  description = "Kubernetes group of the role in the cluster. The files of infra/rbac grant their rights to ecr-public-pushers."
  type        = string
  default     = "ecr-public-pushers"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9:._-]{0,62}$", var.kubernetes_group)) && !can(regex("^(system|eks|aws|amazon|iam):", var.kubernetes_group))
    error_message = "kubernetes_group must be the name of a Kubernetes group that starts with none of system, eks, aws, amazon and iam with a colon."
  }
}

variable "tags" {
  description = "Tags of the access entry."
  type        = map(string)
  default     = {}
  nullable    = false
}
