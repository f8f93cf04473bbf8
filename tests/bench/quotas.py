"""Quotas of AWS that a fleet's size may reach: defaults of an account in a region, with sources."""

# https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm, requests a second, for
# GetParameter, GetParameters and GetParametersByPath together.
PARAMETER_STORE_RATE = 40
# The same page: standard parameters.
PARAMETERS = 10_000
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
PARAMETERS_A_PAGE = 10

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, requests a second of
# the account whose credentials sign: AssumeRole and GetCallerIdentity, which an API server sends
# for each sign-in, share it.
STS_RATE = 600

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: MB that give one processor
LAMBDA_PROCESSOR_MB = 1_769

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_ENTRIES = 10

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-limits.html
INSIGHTS_METRICS = 10_000
