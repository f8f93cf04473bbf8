"""The wire: HTTPS, what a request asks for, its body decoded, and what it must fulfil before
anything is written.
"""
