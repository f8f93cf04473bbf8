# The equivalent of ../../../access-entry.yaml: admits the function to one cluster, as a member of a Kubernetes group. infra/rbac grants the group its rights.

resource "aws_eks_access_entry" "this" {
  cluster_name      = var.cluster_name
  principal_arn     = var.principal_arn
  type              = "STANDARD"
  kubernetes_groups = [var.kubernetes_group]
  tags              = var.tags
}
