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
  description = "ARN of the execution role, for EKS access entries and for the trust policies of roles in other accounts."
  value       = terraform_data.function_role_arn.output

  # Not a check block, which would warn about unknown values at each change of the stack.
  precondition {
    condition     = terraform_data.function_role_arn.output == aws_cloudformation_stack.this.outputs["FunctionRoleArn"]
    error_message = "The stack has a new execution role, which no cluster admits yet: apply once more with -replace for this module's terraform_data.function_role_arn."
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
  description = "URL of the retry queue."
  value       = aws_cloudformation_stack.this.outputs["RetryQueueUrl"]
}

output "retry_queue_arn" {
  description = "ARN of the retry queue, as the destination when you move messages back from the dead-letter queue."
  value       = aws_cloudformation_stack.this.outputs["RetryQueueArn"]
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue, with messages that failed at their last attempt or could not be delivered."
  value       = aws_cloudformation_stack.this.outputs["DeadLetterQueueUrl"]
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue, as the source when you move messages back."
  value       = aws_cloudformation_stack.this.outputs["DeadLetterQueueArn"]
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic that receives the alarms, for further subscriptions."
  value       = aws_cloudformation_stack.this.outputs["AlarmTopicArn"]
}

output "dashboard_url" {
  description = "URL of the dashboard."
  value       = aws_cloudformation_stack.this.outputs["DashboardUrl"]
}

output "before_destroy" {
  description = "Command to run before terraform destroy, which deletes no Secrets. It makes the function remove them while it can still sign in, and fails if some are left. See the README, Removing the stack or a cluster."
  value = join(" ", [
    "test \"$(AWS_MAX_ATTEMPTS=1 aws lambda invoke",
    "--region ${split(":", aws_cloudformation_stack.this.id)[3]}",
    "--function-name ${aws_cloudformation_stack.this.outputs["FunctionName"]}",
    "--cli-read-timeout 0 --cli-binary-format raw-in-base64-out",
    "--payload '{\"action\":\"remove\",\"clusters\":[\"*\"]}'",
    # The AWS CLI succeeds even if the invocation fails.
    "--query FunctionError --output text removed.json)\" = None && cat removed.json",
    "|| { cat removed.json; echo 'Secrets are left: do not destroy yet.' >&2; false; }",
  ])
}
