output "access_entry_arn" {
  description = "ARN of the access entry."
  value       = aws_eks_access_entry.this.access_entry_arn
}

output "cluster_name" {
  description = "Name of the cluster, for its document: which is then written after the function is admitted, and so pushed at once."
  value       = aws_eks_access_entry.this.cluster_name
}
