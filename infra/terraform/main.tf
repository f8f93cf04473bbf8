# Deploys ../../template.yaml itself, so that what Terraform deploys and what the SAM CLI deploys are one thing.

# S3's host in the provider's region, in whatever partition that is.
data "aws_service" "s3" {
  service_id = "s3"
}

locals {
  source   = file("${path.module}/../../template.yaml")
  heading  = "\nParameters:\n"
  code_uri = "CodeUri: lambda_src"

  # The zip's address is a parameter: a plan shows how it changes, and after an update that was
  # rolled back, CloudFormation says which one the stack has.
  declaration = "${local.heading}  PackageKey:\n    Type: String\n"
  code        = "CodeUri: {Bucket: ${var.bucket}, Key: !Ref PackageKey}"
  template = replace(
    replace(local.source, local.heading, local.declaration), local.code_uri, local.code
  )

  # A folder for each release and stack, by what is deployed: what changes gets new objects, and
  # what two stacks deploy is not shared, so that nobody deletes what another still uses.
  version      = regex("SemanticVersion: (\\S+)", local.source)[0]
  place        = join("/", compact([var.prefix, var.stack_name]))
  content      = sha256("${local.place} ${filesha256(var.package)} ${sha256(local.template)}")
  release      = "${local.version}-${substr(local.content, 0, 16)}"
  folder       = "${local.place}/${local.release}"
  package_key  = "${local.folder}/package.zip"
  template_key = "${local.folder}/template.yaml"

  # How the names of Python's native modules end, as base64 has it at each of three offsets: a zip
  # holds the names of its files uncompressed, and no function of Terraform looks into a zip.
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

  # In the documents' descriptions, which a plan shows where it deletes one.
  first = "Deleted, it leaves its Secrets, which then block pulls within 12 hours. First: ecr-public-pusher"

  # A field that is null is one that is not given; a null further down is so to the function.
  defaults = var.defaults == null ? null : jsonencode({ for field, value in var.defaults : field => value if value != null })
  clusters = { for id, document in var.clusters : id => jsonencode({ for field, value in document : field => value if value != null }) }
  discover = { for id, document in var.discover : id => jsonencode({ for field, value in document : field => value if value != null }) }
}

# One instance for each release, not one that is replaced: after an update that failed, and back at
# what was deployed before, the instance that is in use is simply kept. The old one goes after the stack
# has let go of it (an update that fails rolls back to it). No tags: an object takes ten, a stack
# fifty. The path of the zip differs between machines, its content is in the key.
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

# Nothing in it is secret: Terraform prints no text of it so, which is longer than all the rest of
# a plan, and which git shows better.
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

# By address, since a template's own text may have 51,200 bytes only. AUTO_EXPAND is for the SAM transform.
resource "aws_cloudformation_stack" "this" {
  name         = var.stack_name
  template_url = "https://${data.aws_service.s3.dns_name}/${var.bucket}/${local.template_key}"
  capabilities = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
  tags         = var.tags

  # Empty ones are left out, and an update then takes the template's default: the provider drops a
  # change from a value to "", and the stack would keep the value while apply reports success.
  parameters = merge(
    { for name, value in local.parameters : name => value if value != "" },
    { PackageKey = local.package_key },
  )

  depends_on = [aws_s3_object.package, aws_s3_object.template]

  # Lambda takes up to 40 minutes to let go of a VPC's network interfaces.
  timeouts {
    delete = "90m"
  }
}

# Each change of the stack makes its outputs unknown until it is done, and an access entry with an unknown principal is deleted and made anew.
# The role stays, so its ARN is remembered for as long as the stack lives.
resource "terraform_data" "function_role_arn" {
  input            = aws_cloudformation_stack.this.outputs["FunctionRoleArn"]
  triggers_replace = concat([aws_cloudformation_stack.this.id], var.role_path == "" ? [] : [var.role_path])

  lifecycle {
    ignore_changes = [input]
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

  # They go after the documents have what they took from them.
  lifecycle {
    create_before_destroy = true
  }
}

# After the defaults too, which every cluster builds on.
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
