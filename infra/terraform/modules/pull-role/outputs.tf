output "role_arn" {
  description = "The roleArn for the registry in the documents. Known when the role has its policy."
  value       = aws_iam_role.this.arn
  depends_on  = [aws_iam_role_policy.pull]
}
