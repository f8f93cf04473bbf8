"""Keeps Amazon ECR Public credentials fresh in many EKS clusters, from one Lambda function outside
them.
"""
