output "role_arn" {
  description = "The roleArn for the clusters' documents, and the principal_arn for their access entries. Known when the role has its policy."
  value       = aws_iam_role.this.arn
  depends_on  = [aws_iam_role_policy.find_clusters]
}
