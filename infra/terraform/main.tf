# Deploys ../../template.yaml itself, so that what Terraform deploys and what the SAM CLI deploys are one thing.

data "aws_region" "current" {}

locals {
  code_uri     = "CodeUri: lambda_src"
  source       = file("${path.module}/../../template.yaml")
  package_key  = join("/", compact([var.prefix, "${filesha256(var.package)}.zip"]))
  template     = replace(local.source, local.code_uri, "CodeUri: s3://${var.bucket}/${local.package_key}")
  template_key = join("/", compact([var.prefix, "${sha256(local.template)}.template.yaml"]))

  parameters = {
    ConfigPath          = var.config_path
    Schedule            = var.schedule
    SweepSchedule       = var.sweep_schedule
    SweepWindowMinutes  = tostring(var.sweep_window_minutes)
    FanOut              = tostring(var.fan_out)
    MaximumConcurrency  = tostring(var.maximum_concurrency)
    AlarmEmail          = var.alarm_email
    AlarmTopicArn       = var.alarm_topic_arn
    AlarmAfterHours     = tostring(var.alarm_after_hours)
    RunbookUrl          = var.runbook_url
    AssumableRoleName   = var.assumable_role_name
    PullRoleName        = var.pull_role_name
    AllowedAccounts     = join(",", var.allowed_accounts)
    AllowedEndpoints    = join(",", var.allowed_endpoints)
    ConfigKmsKeyArn     = var.config_kms_key_arn
    KmsKeyArn           = var.kms_key_arn
    Architecture        = var.architecture
    MemorySize          = tostring(var.memory_size)
    Timeout             = tostring(var.timeout)
    ReservedConcurrency = tostring(var.reserved_concurrency)
    LogLevel            = var.log_level
    LogRetentionDays    = tostring(var.log_retention_days)
    SubnetIds           = join(",", var.subnet_ids)
    SecurityGroupIds    = join(",", var.security_group_ids)

    PermissionsBoundaryArn = var.permissions_boundary_arn
    RolePath               = var.role_path
  }

  # A field that is null is one that is not given; a null further down is so to the function.
  defaults = var.defaults == null ? null : jsonencode({ for field, value in var.defaults : field => value if value != null })
  clusters = { for id, document in var.clusters : id => jsonencode({ for field, value in document : field => value if value != null }) }
  discover = { for id, document in var.discover : id => jsonencode({ for field, value in document : field => value if value != null }) }
}

# The keys hold hashes: what changes gets a new object, and the old one goes after the stack has let go of it (an update that fails rolls back
# to it). No tags: an object takes ten, a stack fifty.
resource "aws_s3_object" "package" {
  bucket = var.bucket
  key    = local.package_key
  source = var.package

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "template" {
  bucket       = var.bucket
  key          = local.template_key
  content      = local.template
  content_type = "application/yaml"

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(split(local.code_uri, local.source)) == 2
      error_message = "template.yaml must say \"${local.code_uri}\" exactly once, for the package's address to take its place."
    }
  }
}

# By address, since a template's own text may have 51,200 bytes only. AUTO_EXPAND is for the SAM transform.
resource "aws_cloudformation_stack" "this" {
  name         = var.stack_name
  template_url = "https://s3.${data.aws_region.current.region}.amazonaws.com/${var.bucket}/${aws_s3_object.template.key}"
  parameters   = local.parameters
  capabilities = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
  tags         = var.tags

  depends_on = [aws_s3_object.package]

  # Lambda takes up to 40 minutes to let go of a VPC's network interfaces.
  timeouts {
    delete = "90m"
  }
}

# Each change of the stack makes its outputs unknown until it is done, and an access entry with an unknown principal is deleted and made anew.
# The role stays, so its ARN is remembered for as long as the stack lives.
resource "terraform_data" "function_role_arn" {
  input            = aws_cloudformation_stack.this.outputs["FunctionRoleArn"]
  triggers_replace = [aws_cloudformation_stack.this.id]

  lifecycle {
    ignore_changes = [input]
  }
}

check "function_role_arn" {
  assert {
    condition     = terraform_data.function_role_arn.output == aws_cloudformation_stack.this.outputs["FunctionRoleArn"]
    error_message = "The stack has another execution role now: apply once more with -replace for this module's terraform_data.function_role_arn."
  }
}

# After the stack, whose rule hears of each new or changed parameter and has it pushed. Names by variable: by the stack's output they would be
# unknown during each of its changes, and the parameters made anew. insecure_value: documents hold no secrets, and plans show what changes. The
# tier: standard, which is free, up to 4 KB; advanced for a longer document.
resource "aws_ssm_parameter" "defaults" {
  count = local.defaults == null ? 0 : 1

  name           = "${var.config_path}/defaults"
  description    = "ecr-public-pusher: what holds for all clusters"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = local.defaults
  tags           = var.tags

  depends_on = [aws_cloudformation_stack.this]
}

# After the defaults too, which every cluster builds on.
resource "aws_ssm_parameter" "clusters" {
  for_each = local.clusters

  name           = "${var.config_path}/clusters/${each.key}"
  description    = "ecr-public-pusher: one cluster"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = each.value
  tags           = var.tags

  depends_on = [aws_cloudformation_stack.this, aws_ssm_parameter.defaults]
}

resource "aws_ssm_parameter" "discover" {
  for_each = local.discover

  name           = "${var.config_path}/discover/${each.key}"
  description    = "ecr-public-pusher: clusters by tag"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = each.value
  tags           = var.tags

  depends_on = [aws_cloudformation_stack.this, aws_ssm_parameter.defaults, aws_ssm_parameter.clusters]
}
