# Deploys ../../template.yaml itself, so that Terraform and the SAM CLI deploy the same stack.

# S3's host in the provider's region and partition.
data "aws_service" "s3" {
  service_id = "s3"
}

locals {
  source   = file("${path.module}/../../template.yaml")
  heading  = "\nParameters:\n"
  code_uri = "CodeUri: lambda_src"

  # The zip's key is a parameter: a plan shows its change, and after a rollback, CloudFormation returns the key that the
  # stack uses.
  declaration = "${local.heading}  PackageKey:\n    Type: String\n"
  code        = "CodeUri: {Bucket: ${var.bucket}, Key: !Ref PackageKey}"
  template = replace(
    replace(local.source, local.heading, local.declaration), local.code_uri, local.code
  )

  # A folder for each release and stack, named by the deployed content. Changed content gets new objects, and two stacks
  # share none, so that neither deletes an object that the other still uses.
  version      = regex("SemanticVersion: (\\S+)", local.source)[0]
  place        = join("/", compact([var.prefix, var.stack_name]))
  content      = sha256("${local.place} ${filesha256(var.package)} ${sha256(local.template)}")
  release      = "${local.version}-${substr(local.content, 0, 16)}"
  folder       = "${local.place}/${local.release}"
  package_key  = "${local.folder}/package.zip"
  template_key = "${local.folder}/template.yaml"

  # The suffixes of Python's native modules, in base64 at each of three offsets. A zip contains its file names
  # uncompressed, and Terraform has no function to read a zip.
  native_modules = {
    arm64  = ["LWFhcmNoNjQtbGludXgtZ251LnNv", "1hYXJjaDY0LWxpbnV4LWdudS5zb", "tYWFyY2g2NC1saW51eC1nbnUuc2"]
    x86_64 = ["LXg4Nl82NC1saW51eC1nbnUuc2", "14ODZfNjQtbGludXgtZ251LnNv", "teDg2XzY0LWxpbnV4LWdudS5zb"]
  }
  other_architecture = var.architecture == "arm64" ? "x86_64" : "arm64"
  package_text       = filebase64(var.package)
  package_fits = !anytrue([
    for ending in local.native_modules[local.other_architecture] :
    strcontains(local.package_text, ending)
  ])

  parameters = {
    ConfigPath          = var.config_path
    Schedule            = var.schedule
    SweepSchedule       = var.sweep_schedule == "" ? "none" : var.sweep_schedule
    SweepWindowMinutes  = tostring(var.sweep_window_minutes)
    FanOut              = tostring(var.fan_out)
    MaximumConcurrency  = tostring(var.maximum_concurrency)
    BatchSize           = tostring(var.batch_size)
    AlarmEmail          = var.alarm_email
    AlarmTopicArn       = var.alarm_topic_arn
    AlarmAfterHours     = tostring(var.alarm_after_hours)
    ClusterMetrics      = tostring(var.cluster_metrics)
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

  # Part of the documents' descriptions, which a plan shows when it deletes a document.
  first = "Deletion leaves its Secrets, which block pulls within 12 hours. First run: ecr-public-pusher"

  # A field that is null counts as absent. The function treats nested nulls the same way.
  defaults = var.defaults == null ? null : jsonencode({ for field, value in var.defaults : field => value if value != null })
  clusters = { for id, document in var.clusters : id => jsonencode({ for field, value in document : field => value if value != null }) }
  discover = { for id, document in var.discover : id => jsonencode({ for field, value in document : field => value if value != null }) }
}

# One instance for each release, instead of one that is replaced. So after a failed update, and when you go back to the
# previous release, the instance in use is kept. The old one is deleted after the stack no longer uses it (a failed
# update rolls back to it). No tags, because an object has at most ten and a stack fifty. The path of the zip differs
# between machines; its content determines the key.
resource "aws_s3_object" "package" {
  for_each = toset([local.release])

  bucket = var.bucket
  key    = local.package_key
  source = var.package

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [source]

    precondition {
      condition     = local.package_fits
      error_message = "${var.package} was built for ${local.other_architecture}, and architecture is \"${var.architecture}\": run make package ARCH=${var.architecture}, or change architecture."
    }
  }
}

# Nothing in it is secret. Terraform does not print sensitive text, so a plan does not show the template, which is
# longer than the rest of the plan. Git shows its changes better.
resource "aws_s3_object" "template" {
  for_each = toset([local.release])

  bucket       = var.bucket
  key          = local.template_key
  content      = sensitive(local.template)
  content_type = "application/yaml"

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = alltrue([for text in [local.code_uri, local.heading] : length(split(text, local.source)) == 2])
      error_message = "template.yaml must say \"${local.code_uri}\" and \"Parameters:\" exactly once each, for the package's address to take its place."
    }
  }
}

# By URL, because a template that is sent as text may have at most 51,200 bytes. AUTO_EXPAND is for the SAM transform.
resource "aws_cloudformation_stack" "this" {
  name         = var.stack_name
  template_url = "https://${data.aws_service.s3.dns_name}/${var.bucket}/${local.template_key}"
  capabilities = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
  tags         = var.tags

  # Empty values are left out, so that an update uses the template's default. The provider drops a change from a value
  # to "", and the stack would keep the value while apply reports success.
  parameters = merge(
    { for name, value in local.parameters : name => value if value != "" },
    { PackageKey = local.package_key },
  )

  depends_on = [aws_s3_object.package, aws_s3_object.template]

  # Lambda takes up to 40 minutes to release a VPC's network interfaces.
  timeouts {
    delete = "90m"
  }
}

# Each change of the stack makes its outputs unknown until it completes, and Terraform replaces an access entry with an
# unknown principal. The role does not change, so its ARN is kept for as long as the stack exists.
resource "terraform_data" "function_role_arn" {
  input            = aws_cloudformation_stack.this.outputs["FunctionRoleArn"]
  triggers_replace = concat([aws_cloudformation_stack.this.id], var.role_path == "" ? [] : [var.role_path])

  lifecycle {
    ignore_changes = [input]
  }
}

# After the stack, whose rule receives the event of each new or changed parameter and starts the push. The names come
# from the variable, because the stack's output would be unknown during each change, and the parameters would be
# replaced. insecure_value: documents contain no secrets, and plans show the changes. Tier: standard, which is free, up
# to 4 KB; advanced for longer documents.
resource "aws_ssm_parameter" "defaults" {
  count = local.defaults == null ? 0 : 1

  name           = "${var.config_path}/defaults"
  description    = "ecr-public-pusher: settings for all clusters"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = local.defaults
  tags           = var.tags

  depends_on = [aws_cloudformation_stack.this]

  # The defaults are deleted after the documents that use them.
  lifecycle {
    create_before_destroy = true
  }
}

# After the defaults, which every cluster depends on.
resource "aws_ssm_parameter" "clusters" {
  for_each = local.clusters

  name           = "${var.config_path}/clusters/${each.key}"
  description    = "ecr-public-pusher: one cluster. ${local.first} remove ${each.key}"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = each.value
  tags           = var.tags

  depends_on = [aws_cloudformation_stack.this, aws_ssm_parameter.defaults]
}

resource "aws_ssm_parameter" "discover" {
  for_each = local.discover

  name           = "${var.config_path}/discover/${each.key}"
  description    = "ecr-public-pusher: clusters by tag. ${local.first} remove '${each.key}/*'"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = each.value
  tags           = var.tags

  depends_on = [aws_cloudformation_stack.this, aws_ssm_parameter.defaults, aws_ssm_parameter.clusters]
}
