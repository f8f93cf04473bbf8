# The equivalent of ../../../spoke-role.yaml: the role that the function assumes in another account, to find clusters there and to sign in to them.

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PusherWithExternalId"
      Effect    = "Allow"
      Principal = { AWS = var.pusher_role_arn }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "sts:ExternalId"      = var.external_id
          "sts:RoleSessionName" = "ecr-public-pusher-sign-in"
        }
      }
    }]
  }

  permissions = {
    Version = "2012-10-17"
    Statement = concat(
      [for arns in length(var.cluster_arns) == 0 ? [] : [var.cluster_arns] : {
        Sid      = "FindClusters"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = arns
      }],
      [for sid in var.discovery ? ["FindClustersByTag"] : [] : {
        Sid      = sid
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster", "eks:ListClusters"]
        Resource = ["*"]
      }],
      [for sid in var.web_identity ? ["GetWebIdentityTokens"] : [] : {
        Sid      = sid
        Effect   = "Allow"
        Action   = ["sts:GetWebIdentityToken"]
        Resource = ["*"]
        Condition = {
          "ForAllValues:StringLike" = { "sts:IdentityTokenAudience" = "ecr-public-pusher:*" }
          Null                      = { "sts:IdentityTokenAudience" = "false" }
          StringEquals              = { "sts:SigningAlgorithm" = "RS256" }
          NumericLessThanEquals     = { "sts:DurationSeconds" = "300" }
        }
      }],
      [for path in var.kubeconfig_path == "" ? [] : [var.kubeconfig_path] : {
        Sid       = "ReadKubeconfigs"
        Effect    = "Allow"
        Action    = ["secretsmanager:GetSecretValue"]
        Resource  = ["arn:${split(":", var.pusher_role_arn)[1]}:secretsmanager:*:*:secret:${path}/*"]
        Condition = { StringEquals = { "aws:ResourceAccount" = "$${aws:PrincipalAccount}" } }
      }],
      [for key in var.kubeconfig_kms_key_arn == "" ? [] : [var.kubeconfig_kms_key_arn] : {
        Sid      = "DecryptKubeconfigs"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [key]
        Condition = {
          StringLike = {
            "kms:ViaService"                  = "secretsmanager.*"
            "kms:EncryptionContext:SecretARN" = "arn:${split(":", key)[1]}:secretsmanager:*:*:secret:${var.kubeconfig_path}/*"
          }
        }
      }],
    )
  }
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  path                 = var.role_path == "" ? null : var.role_path
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn

  description        = "Lets ecr-public-pusher find EKS clusters of this account and sign in to them. In a cluster, it has only the rights that RBAC grants."
  assume_role_policy = jsonencode(local.trust)
  tags               = var.tags
}

resource "aws_iam_role_policy" "find_clusters" {
  name   = "find-clusters"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.permissions)

  lifecycle {
    precondition {
      condition     = length(local.permissions.Statement) > 0
      error_message = "The role would have no permissions: give cluster_arns, discovery, web_identity or kubeconfig_path."
    }

    precondition {
      condition     = var.kubeconfig_kms_key_arn == "" || var.kubeconfig_path != ""
      error_message = "kubeconfig_kms_key_arn is set without kubeconfig_path. Give both, or neither."
    }
  }
}
