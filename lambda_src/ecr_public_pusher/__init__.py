"""Fresh Amazon ECR pull credentials in many Kubernetes clusters, from one Lambda function."""
