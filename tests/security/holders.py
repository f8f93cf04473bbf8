"""The tests that hold each sentence of SECURITY.md's threat model, by the sentence's number.

Paths are below tests/.
"""

DISCOVERY = "function/sources/test_discovery.py"
QUEUE = "function/invocation/test_retry_queue.py"
PUSH = "function/jobs/test_push.py"
PRUNE = "function/jobs/test_prune.py"
CHECK = "function/jobs/test_check.py"
CLIENT = "function/kubernetes_api/test_client.py"
REGISTRIES = "function/registries/test_registries.py"
KUBECONFIG = "function/sign_in/test_kubeconfig.py"
KUBECONFIG_FORM = "function/sign_in/test_kubeconfig_document.py"
ADDRESS = "function/sign_in/test_server_address.py"
GOOGLE = "function/sign_in/test_google.py"
ROLE_IN_USE = "local/test_role_in_use.py"
SIGN_IN = "local/test_kube_sign_in.py"
ACCESS = "stack/test_access.py"
PERMISSIONS = "stack/test_permissions.py"
QUEUES = "stack/test_queues.py"
DOCUMENTS = "security/test_documents.py"
CLUSTERS = "security/test_clusters.py"
ANSWERS = "function/kubernetes_api/test_names.py"
QUEUE_MESSAGE = "function/events/test_queue_message.py"
CONNECTIONS = "function/jobs/test_connections.py"
ISOLATION = "function/jobs/test_isolation.py"
REMOVE = "function/jobs/test_remove.py"
SECONDS_LEFT = "function/jobs/test_seconds_left.py"
CONNECTION_BUDGET = "function/kubernetes_api/test_connection_budget.py"
ENDPOINT_CACHE = "function/sign_in/test_endpoint_cache.py"
ARGO_CD = "function/configuration/test_argo_cd.py"
PARAMETERS = "stack/test_parameters.py"

HOLDERS = {
    "A1": [
        f"{PUSH}::test_every_selected_namespace_gets_the_token_in_one_request",
        f"{PERMISSIONS}::test_nothing_of_ecr_public_is_allowed_beyond_the_original",
    ],
    "A2": [f"{REGISTRIES}::test_one_secret_signs_in_to_all_of_them"],
    "A3": [
        "function/sign_in/test_eks.py::test_the_signature_covers_the_clusters_name",
        f"{DOCUMENTS}::test_a_web_identity_token_signs_in_only_to_its_own_documents_server",
    ],
    "A4": [f"{KUBECONFIG}::test_a_push_with_what_is_stored"],
    "A8": [
        f"{GOOGLE}::test_each_run_exchanges_anew",
        f"{CLUSTERS}::test_googles_token_serves_wherever_its_identity_has_rights",
    ],
    "A5": [
        f"{ENDPOINT_CACHE}::test_each_call_is_signed_by_the_role_that_its_document_names",
        f"{DOCUMENTS}::test_an_assumed_roles_credentials_go_nowhere",
    ],
    "A6": [
        f"{PUSH}::test_nothing_secret_is_printed_or_returned",
        f"{QUEUE}::test_no_message_holds_anything_secret",
        f"{ROLE_IN_USE}::test_nothing_that_was_printed_is_a_credential",
        f"{KUBECONFIG}::test_nothing_secret_is_reported_logged_or_left_on_disk_or_in_memory",
        "function/sign_in/test_web_identity.py::test_no_token_shows_anywhere",
        f"{GOOGLE}::test_no_token_shows_anywhere",
        "function/test_deadline.py::test_an_internal_error_has_type_and_place_and_never_the_text",
    ],
    "A7": [
        f"{ISOLATION}::test_two_invocations_of_one_sandbox_do_not_share_a_token",
        f"{KUBECONFIG}::test_no_file_stays_open",
    ],
    "D1": [
        f"{DOCUMENTS}::test_an_endpoint_that_the_owner_does_not_allow_is_sent_nothing",
        f"{DOCUMENTS}::test_an_eks_document_cannot_say_where_its_cluster_is",
        f"{KUBECONFIG}::test_a_server_that_the_owner_does_not_allow_is_sent_nothing",
    ],
    "D2": [
        f"{DOCUMENTS}::test_a_host_that_only_looks_like_an_allowed_one_is_refused",
        f"{ADDRESS}::test_a_path_that_the_owner_does_not_allow_is_sent_nothing",
        f"{ADDRESS}::test_a_path_that_a_server_may_take_for_another_is_sent_nothing",
    ],
    "D3": [
        f"{ROLE_IN_USE}::test_a_role_of_another_name_may_not_be_assumed",
        f"{DOCUMENTS}::test_a_role_of_any_other_name_is_refused_before_iam_is_asked",
        f"{PARAMETERS}::test_the_roles_that_sign_in_and_those_that_ask_for_registry_tokens_are_two",
    ],
    "D4": [
        f"{ROLE_IN_USE}::test_a_role_of_an_account_that_is_not_allowed_may_not_be_assumed",
        f"{PERMISSIONS}::test_roles_are_assumed_in_the_stacks_own_account_or_in_those_named",
        f"{PERMISSIONS}::test_roles_of_any_account_are_assumed_only_where_that_is_set",
        f"{DOCUMENTS}::test_no_role_is_assumed_in_an_account_that_the_owner_does_not_allow",
        f"{DOCUMENTS}::test_a_cluster_of_a_refused_document_is_no_discoverys",
    ],
    "D20": [
        f"{GOOGLE}::test_the_addresses_are_googles_own",
        f"{GOOGLE}::test_an_address_that_is_not_https_is_refused",
        f"{GOOGLE}::test_a_certificate_of_no_public_authority",
        f"{GOOGLE}::test_an_answer_that_is_not_googles",
        f"{GOOGLE}::test_only_known_codes_are_repeated",
        "function/configuration/test_schema.py::test_the_schema_and_the_function_judge_alike",
    ],
    "D19": [
        f"{DOCUMENTS}::test_no_role_stands_in_for_the_other_use",
        f"{DOCUMENTS}::test_roles_are_assumed_where_the_owner_allows_it_each_for_its_own_use",
        f"{DOCUMENTS}::test_iam_itself_refuses_a_role_to_the_other_use",
        f"{ACCESS}::test_neither_role_takes_a_session_of_the_other_use",
        f"{PERMISSIONS}::test_a_session_says_which_of_the_two_uses_it_is_for",
    ],
    "D5": [f"{REGISTRIES}::test_the_execution_role_never_stands_in"],
    "D6": [
        f"{DOCUMENTS}::test_a_role_with_an_external_id_gives_nothing_to_a_document_without_it",
        "function/registries/test_registries.py"
        "::test_a_document_without_the_external_id_has_no_part_in_anothers_token",
        f"{ACCESS}::test_only_the_function_with_the_external_id_may_ask_for_its_tokens",
    ],
    "D7": [
        f"{DOCUMENTS}::test_a_web_identity_token_signs_in_only_to_its_own_documents_server",
        f"{DOCUMENTS}::test_no_document_chooses_the_audience",
        "function/sign_in/test_web_identity.py::test_another_documents_token_is_refused",
    ],
    "D8": [
        f"{DOCUMENTS}::test_a_cluster_id_that_another_documents_eks_cluster_has_is_refused",
        f"{DISCOVERY}::test_an_authenticators_cluster_id_may_not_be_the_name_of_a_found_cluster",
        f"{DISCOVERY}::test_a_cluster_id_that_cannot_be_judged_is_refused_in_that_run",
    ],
    "D9": [f"{DOCUMENTS}::test_a_cluster_id_of_an_eks_cluster_that_no_document_means_is_not_known"],
    "D10": [f"{DOCUMENTS}::test_a_document_may_name_any_cluster_that_admits_the_function"],
    "D11": [
        f"{DOCUMENTS}::test_a_document_may_name_another_documents_kubeconfig_and_sees_nothing_of_it",
        f"{KUBECONFIG}::test_nothing_but_the_time_is_said_of_a_credential",
    ],
    "D12": [f"{PUSH}::test_another_secret_name_needs_its_own_rule"],
    "D13": [
        f"{PUSH}::test_somebody_elses_secret_is_not_touched_and_is_named",
        "function/jobs/test_takeover.py::test_the_manager_it_was_taken_from_is_named",
    ],
    "D14": [
        f"{PRUNE}::test_what_has_another_owner_or_label_stays",
        f"{PRUNE}::test_another_document_of_the_same_cluster_keeps_its_own",
        "function/jobs/test_ownership.py::test_another_stack_is_not_us",
    ],
    "D15": [
        f"{PUSH}::test_two_documents_that_select_the_same_namespace",
        f"{DISCOVERY}::test_whose_a_namespace_is_does_not_depend_on_what_is_asked_for",
    ],
    "D21": [
        f"{ARGO_CD}::test_no_other_host_gets_a_token",
        f"{ARGO_CD}::test_what_a_document_may_not_say",
    ],
    "D16": [
        f"{PUSH}::test_a_bad_document_fails_only_itself",
        f"{DOCUMENTS}::test_an_invalid_document_keeps_its_secrets",
    ],
    "D17": [
        f"{DOCUMENTS}::test_a_cluster_that_two_documents_name_differently_is_not_known_to_be_one"
    ],
    "D18": [
        f"{DOCUMENTS}::test_a_selector_keeps_no_other_cluster_waiting",
        f"{DOCUMENTS}::test_what_is_nested_deep_does_not_end_the_function",
        "function/configuration/test_yaml_document.py::test_no_depth_ends_the_process",
        "function/test_patterns.py::test_a_longer_text_takes_no_more_steps_a_character",
        "function/test_patterns.py::test_the_stars_of_a_glob_do_not_multiply",
        f"{QUEUE_MESSAGE}::test_a_body_that_is_deep_is_an_error_and_not_raised",
    ],
    "W1": [f"{DOCUMENTS}::test_no_document_has_a_field_for_a_limit"],
    "W2": [f"{PUSH}::test_broken_defaults_write_nothing"],
    "W3": [
        f"{PUSH}::test_a_deleted_document_is_reported_with_what_to_do",
        f"{DISCOVERY}::test_a_changed_document_pushes_its_clusters_and_a_deleted_one_is_not_ok",
        "stack/test_alarm_replay.py::test_a_deleted_document_is_known_and_a_first_one_is_no_alarm",
    ],
    "W4": [
        f"{PRUNE}::test_the_brake_holds_back_a_large_prune",
        f"{PRUNE}::test_the_brake_counts_what_was_applied",
        f"{PRUNE}::test_what_the_brake_holds_is_done_when_it_is_asked_for",
    ],
    "T1": [f"{DISCOVERY}::test_a_cluster_with_the_tags_is_pushed_like_any_other"],
    "T2": [
        f"{DISCOVERY}::test_a_cluster_with_the_tags_is_pushed_like_any_other",
        f"{DISCOVERY}::test_every_tag_must_hold_by_value_or_glob",
    ],
    "T3": [
        f"{DISCOVERY}::test_a_cluster_with_a_document_of_its_own_is_left_to_that",
        f"{DISCOVERY}::test_a_cluster_whose_own_document_is_invalid_is_left_to_that_too",
        f"{DISCOVERY}::test_a_mistake_in_a_document_hands_its_cluster_to_no_discovery",
        f"{DISCOVERY}::test_a_cluster_that_an_invalid_document_may_mean_is_refused_by_name",
        f"{DISCOVERY}::test_a_document_that_cannot_be_decrypted_may_mean_any_cluster_that_is_found",
    ],
    "T4": [
        f"{DISCOVERY}::test_other_accounts_are_looked_into_with_their_role",
        f"{DOCUMENTS}::test_a_discovery_without_a_role_looks_in_the_functions_account",
    ],
    "Q1": [f"{DOCUMENTS}::test_a_message_has_no_field_for_an_address_a_role_or_a_token"],
    "Q2": [
        f"{QUEUE}::test_a_removal_is_never_done_from_the_queue_but_parked",
        f"{DOCUMENTS}::test_a_message_never_lets_go_of_the_brake",
    ],
    "Q3": [
        f"{QUEUES}::test_no_policy_lets_others_into_the_retry_queue",
        f"{QUEUES}::test_nobody_reaches_a_queue_without_tls",
    ],
    "I1": [f"{REMOVE}::test_only_the_named_clusters_are_touched_and_a_star_means_all"],
    "I2": [
        f"{PUSH}::test_nothing_secret_is_printed_or_returned",
        f"{CHECK}::test_what_it_found_out_is_reported",
    ],
    "R1": [f"{ACCESS}::test_the_pull_role_may_pull_from_the_named_repositories_and_nothing_else"],
    "R2": [f"{CLUSTERS}::test_a_private_token_lies_in_every_namespace_that_its_document_selects"],
    "R3": ["function/registries/test_ecr_private.py::test_nonsense_is_refused_and_not_repeated"],
    "C1": [
        f"{SIGN_IN}::test_a_token_for_one_cluster_is_refused_by_another",
        "function/sign_in/test_eks.py::test_the_signature_covers_the_clusters_name",
    ],
    "C2": [
        f"{CLUSTERS}::test_a_namesake_in_another_region_takes_the_token",
        f"{CLUSTERS}::test_an_authenticator_of_the_same_cluster_id_takes_the_token",
    ],
    "C3": [f"{CLUSTERS}::test_a_cluster_gets_only_the_registries_of_its_own_documents"],
    "C4": [f"{CLUSTERS}::test_a_private_token_lies_in_every_namespace_that_its_document_selects"],
    "C5": [f"{CLIENT}::test_a_redirect_is_refused_and_the_other_server_sees_nothing"],
    "C6": [
        f"{CLIENT}::test_our_own_request_echoed_back_is_not_repeated",
        f"{CHECK}::test_a_server_that_echoes_the_token_does_not_get_it_into_the_report",
        f"{ANSWERS}::test_a_namespace_that_is_no_name_or_was_sent_is_nonsense",
        f"{ANSWERS}::test_a_field_manager_that_was_sent_is_not_named",
        f"{ANSWERS}::test_a_secret_whose_metadata_are_nonsense_is_not_removed",
    ],
    "C11": [
        f"{CLIENT}::test_an_endless_answer_is_cut_off",
        f"{ANSWERS}::test_an_answer_that_would_fill_the_memory_once_it_is_read_is_nonsense",
        f"{ANSWERS}::test_a_list_without_end_is_nonsense",
    ],
    "C7": [
        f"{ISOLATION}::test_of_fifty_one_hangs_one_refuses_and_the_others_are_not_affected",
        f"{CLIENT}::test_an_endless_answer_is_cut_off",
        f"{CLIENT}::test_a_slow_drip_is_not_waited_for",
        f"{CONNECTIONS}::test_clusters_whose_writes_hang_take_no_more_connections_than_there_are",
        f"{CONNECTION_BUDGET}::test_a_cluster_that_answers_does_not_wait_for_those_that_hang",
    ],
    "C8": [
        "stack/test_rbac.py::test_the_rules_are_these_and_nothing_more",
        "function/jobs/test_required_permissions.py::test_nothing_dangerous_is_ever_needed",
    ],
    "C13": [
        "stack/test_rbac.py::test_argo_cds_role_is_of_its_namespace_and_names_every_secret",
        "function/jobs/test_argo_cd.py::test_a_push_needs_these_verbs_and_no_other",
    ],
    "C10": [
        f"{PRUNE}::test_it_asks_once_for_metadata_only_and_deletes_what_it_saw",
        f"{CLUSTERS}::test_who_may_patch_a_secret_may_read_it",
        f"{SECONDS_LEFT}::test_where_the_function_may_not_look_only_what_it_wrote_is_known",
    ],
    "C12": [
        f"{CLUSTERS}::test_googles_token_serves_wherever_its_identity_has_rights",
        f"{CLUSTERS}::test_an_identity_of_another_pool_is_another_user",
    ],
    "C9": [f"{CHECK}::test_each_dangerous_right_is_a_finding"],
    "N1": [
        f"{CLIENT}::test_another_certificate_authority_is_refused_at_once",
        f"{CLIENT}::test_another_host_name_is_refused_at_once",
    ],
    "N2": [f"{DOCUMENTS}::test_the_authority_of_an_allowed_host_is_the_documents"],
    "N3": [
        f"{CLIENT}::test_nothing_is_sent_once_the_deadline_has_passed",
        f"{CLIENT}::test_a_write_without_an_answer_is_thrown_away_with_what_the_kernel_holds",
        f"{ISOLATION}::test_no_old_token_arrives_after_a_newer_when_lambda_freezes_around_a_write",
    ],
    "K1": [
        f"{KUBECONFIG}::test_a_server_that_the_owner_does_not_allow_is_sent_nothing",
        f"{KUBECONFIG}::test_a_credential_is_never_sent_to_another_server_than_its_own",
        f"{ADDRESS}::test_nor_with_a_kubeconfig_whose_path_is_not_repeated",
    ],
    "K2": [
        f"{KUBECONFIG_FORM}::test_what_a_user_may_not_have",
        f"{KUBECONFIG_FORM}::test_what_a_cluster_may_not_have",
    ],
    "K3": [
        f"{PERMISSIONS}::test_kubeconfigs_lie_below_the_configurations_path",
        f"{PERMISSIONS}::test_what_reaches_beyond_eks_is_granted_only_where_a_host_is_named",
    ],
    "K4": [f"{KUBECONFIG}::test_nothing_secret_is_reported_logged_or_left_on_disk_or_in_memory"],
    "O1": [
        f"{ROLE_IN_USE}::test_every_call_of_the_execution_role_is_allowed",
        f"{ROLE_IN_USE}::test_every_statement_is_needed_by_some_call_or_said_to_be_somebody_elses",
    ],
    "O2": [f"{PERMISSIONS}::test_no_action_is_a_wildcard"],
    "O3": ["stack/test_template.py::test_no_log_level_is_offered_at_which_botocore_logs_tokens"],
    "O4": [
        f"{PERMISSIONS}::test_the_log_group_is_encrypted_with_the_stacks_key",
        f"{QUEUES}::test_messages_are_encrypted_with_sqss_own_key_or_the_stacks",
        "stack/test_alarms.py::test_the_topic_is_encrypted_with_the_stacks_key_or_not_at_all",
    ],
    "O5": [
        "stack/test_package.py::test_all_that_is_installed_is_pinned",
        "stack/test_package.py::test_a_file_without_its_hash_makes_no_zip",
        "stack/test_lock.py::test_what_pip_reads_is_what_the_lock_says",
    ],
}
