"""Quotas of AWS that a fleet's size may reach: defaults of an account in a region, with sources.

Each number was compared with its page, or else with texts that quote the page, and says which. None
was tried on AWS.
"""

# https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm: requests a second, "shared by
# the following API actions: GetParameter, GetParameters, GetParametersByPath". Compared with two
# texts that quote the page (dev.classmethod.jp, 2022, and the source code of a project), not with
# the page.
PARAMETER_STORE_RATE = 40
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-throughput.html:
# "up to 10,000 parameters per Region". Compared with the page.
PARAMETERS = 10_000
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html:
# MaxResults, "Maximum value of 10". Compared with the page.
PARAMETERS_A_PAGE = 10

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, requests a second of
# the account whose credentials sign: AssumeRole and GetCallerIdentity, which an API server sends
# for each sign-in, share it. Compared with two texts that quote the page (MongoDB's documentation
# of AWS IAM authentication is one), not with the page.
STS_RATE = 600

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: MB that give one
# processor. Compared with the page.
LAMBDA_PROCESSOR_MB = 1_769
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: concurrent executions of
# all functions. New accounts have fewer. Compared with the page.
LAMBDA_CONCURRENCY = 1_000

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html:
# messages of one SendMessageBatch. Compared with the page.
SQS_ENTRIES = 10

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-limits.html:
# "A single query can process no more than 10,000 metrics". Compared with the page.
INSIGHTS_METRICS = 10_000
