"""The operator's command line, which works through the deployed function and AWS's APIs.

It is not part of what is deployed. It imports the function's `events`, `configuration`, `errors`
and leaves only, and names its own modules relatively: installed, it is `ecr_public_pusher_cli`.
"""
