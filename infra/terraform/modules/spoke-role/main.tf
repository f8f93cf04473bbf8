# What ../../../spoke-role.yaml makes: the role that the function assumes in another account, to find clusters there and to sign in to them.

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PusherWithExternalId"
      Effect    = "Allow"
      Principal = { AWS = var.pusher_role_arn }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  }

  permissions = {
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "FindClusters"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = var.cluster_arns
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
          NumericLessThanEquals     = { "sts:DurationSeconds" = 300 }
        }
      }],
      [for path in var.kubeconfig_path == "" ? [] : [var.kubeconfig_path] : {
        Sid       = "ReadKubeconfigs"
        Effect    = "Allow"
        Action    = ["secretsmanager:GetSecretValue"]
        Resource  = ["arn:${split(":", var.pusher_role_arn)[1]}:secretsmanager:*:*:secret:${path}/*"]
        Condition = { StringEquals = { "aws:ResourceAccount" = "$${aws:PrincipalAccount}" } }
      }],
    )
  }
}

resource "aws_iam_role" "this" {
  name               = var.role_name
  description        = "Lets ecr-public-pusher find EKS clusters of this account and sign in to them. It may do nothing in them but what their RBAC gives."
  assume_role_policy = jsonencode(local.trust)
  tags               = var.tags
}

resource "aws_iam_role_policy" "find_clusters" {
  name   = "find-clusters"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.permissions)
}
