output "access_entry_arn" {
  description = "ARN of the access entry."
  value       = aws_eks_access_entry.this.access_entry_arn
}

output "cluster_name" {
  description = "Name of the cluster, for its document. With this reference, Terraform writes the document after the access entry, so that the first push succeeds."
  value       = aws_eks_access_entry.this.cluster_name
}
