# The stack's outputs. function_role_arn is known even while the stack changes.

output "version" {
  description = "Release of ecr-public-pusher that this stack was deployed from."
  value       = aws_cloudformation_stack.this.outputs["Version"]
}

output "function_name" {
  description = "Name of the function, for sam remote invoke and aws lambda invoke."
  value       = aws_cloudformation_stack.this.outputs["FunctionName"]
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_cloudformation_stack.this.outputs["FunctionArn"]
}

output "function_role_arn" {
  description = "ARN of the execution role. EKS access entries, and the trust of roles in other accounts, name it."
  value       = terraform_data.function_role_arn.output

  # Not a check, which would warn of what is not known yet at each change of the stack.
  precondition {
    condition     = terraform_data.function_role_arn.output == aws_cloudformation_stack.this.outputs["FunctionRoleArn"]
    error_message = "The stack has another execution role now, which nobody admits yet: apply once more with -replace for this module's terraform_data.function_role_arn."
  }
}

output "config_path" {
  description = "Path of the configuration in Parameter Store."
  value       = aws_cloudformation_stack.this.outputs["ConfigPath"]
}

output "log_group_name" {
  description = "Log group with the reports of all runs."
  value       = aws_cloudformation_stack.this.outputs["LogGroupName"]
}

output "retry_queue_url" {
  description = "Queue of what is to be tried again."
  value       = aws_cloudformation_stack.this.outputs["RetryQueueUrl"]
}

output "retry_queue_arn" {
  description = "The same, as a destination of messages that are moved back from the dead-letter queue."
  value       = aws_cloudformation_stack.this.outputs["RetryQueueArn"]
}

output "dead_letter_queue_url" {
  description = "Queue of what still failed at its last attempt or could not be delivered."
  value       = aws_cloudformation_stack.this.outputs["DeadLetterQueueUrl"]
}

output "dead_letter_queue_arn" {
  description = "The same, as a source of such messages."
  value       = aws_cloudformation_stack.this.outputs["DeadLetterQueueArn"]
}

output "alarm_topic_arn" {
  description = "SNS topic that gets the alarms, for further subscriptions."
  value       = aws_cloudformation_stack.this.outputs["AlarmTopicArn"]
}

output "dashboard_url" {
  description = "The dashboard."
  value       = aws_cloudformation_stack.this.outputs["DashboardUrl"]
}

output "before_destroy" {
  description = "What to run before terraform destroy, which deletes no Secrets: has the function remove them while it can still sign in, and fails when some are left. See README, Removing it."
  value = join(" ", [
    "test \"$(AWS_MAX_ATTEMPTS=1 aws lambda invoke",
    "--region ${split(":", aws_cloudformation_stack.this.id)[3]}",
    "--function-name ${aws_cloudformation_stack.this.outputs["FunctionName"]}",
    "--cli-read-timeout 0 --cli-binary-format raw-in-base64-out",
    "--payload '{\"action\":\"remove\",\"clusters\":[\"*\"]}'",
    # An invocation that failed is a success to the AWS CLI.
    "--query FunctionError --output text removed.json)\" = None && cat removed.json",
    "|| { cat removed.json; echo 'Secrets are left: do not destroy yet.' >&2; false; }",
  ])
}
