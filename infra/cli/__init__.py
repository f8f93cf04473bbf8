"""The operator's command line: works through the deployed function and AWS's APIs, and is no part
of what is deployed.

It imports the function's `events`, `configuration`, `errors` and leaves only, and names its own
modules relatively: installed, it is called `ecr_public_pusher_cli`.
"""
