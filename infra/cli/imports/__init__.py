"""The import of clusters: from a kubeconfig's contexts and EKS's lists to proposed documents."""
