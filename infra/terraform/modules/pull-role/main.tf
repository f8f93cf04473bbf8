# The equivalent of ../../../pull-role.yaml: the role with which the function requests a private registry's token. The token has this role's rights.

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
          "sts:RoleSessionName" = "ecr-public-pusher-pull"
        }
      }
    }]
  }

  permissions = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "GetRegistryToken"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = ["*"]
        },
        {
          Sid      = "PullImages"
          Effect   = "Allow"
          Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = var.repository_arns
        },
      ],
      [for sid in var.pull_through_cache ? ["ImportUpstreamImages"] : [] : {
        Sid      = sid
        Effect   = "Allow"
        Action   = ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]
        Resource = var.repository_arns
      }],
    )
  }
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  path                 = var.role_path == "" ? null : var.role_path
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn

  description        = "Lets ecr-public-pusher get tokens that pull from the named ECR repositories. The holder of a token has the rights of this role."
  assume_role_policy = jsonencode(local.trust)
  tags               = var.tags
}

resource "aws_iam_role_policy" "pull" {
  name   = "pull"
  role   = aws_iam_role.this.name
  policy = jsonencode(local.permissions)
}
