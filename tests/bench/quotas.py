"""Quotas of AWS that a fleet's size may reach: defaults of an account in a region, with sources."""

# https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm, requests a second: the default
# is shared by GetParameter, GetParameters and GetParametersByPath; the higher throughput, which is
# billed, is for GetParametersByPath.
PARAMETER_STORE_RATE = 40
PARAMETER_STORE_HIGHER_RATE = 100
# The same page: standard parameters.
PARAMETERS = 10_000
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
PARAMETERS_A_PAGE = 10

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, requests a second of
# the account whose credentials sign: AssumeRole and GetCallerIdentity, which an API server sends
# for each sign-in, share it.
STS_RATE = 600

# https://docs.aws.amazon.com/AmazonECR/latest/public/public-service-quotas.html,
# GetAuthorizationToken, requests a second.
ECR_PUBLIC_TOKEN_RATE = 200

# https://docs.aws.amazon.com/general/latest/gr/eks.html#limits_eks. EKS documents no rate for
# DescribeCluster.
EKS_CLUSTERS = 100

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_CONCURRENCY = 1_000
LAMBDA_SECONDS = 900
LAMBDA_RESPONSE_BYTES = 6 * 1024 * 1024
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: MB that give one processor
LAMBDA_PROCESSOR_MB = 1_769

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
POLLERS_AT_FIRST = 5
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html: of a standard queue;
# above ten, a batching window is required.
BATCH_SIZE = 10_000
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_ENTRIES = 10

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-limits.html
INSIGHTS_METRICS = 10_000
INSIGHTS_SERIES = 500
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
EMF_METRICS = 100

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
LOG_EVENT_BYTES = 1024 * 1024
