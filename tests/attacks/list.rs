attacks! {
    a01_edited_manifest: "A01", "one byte of a signed manifest is edited, and the log is signed again", evidence::edited_manifest;
    a01_edited_statement: "A01", "a statement says another name than the one that was signed", evidence::edited_statement;
    a02_note_of_another_commit: "A02", "the note of one commit stands on another", evidence::note_of_another_commit;
    a03_statement_under_another_name: "A03", "a release is copied under another name", evidence::statement_under_another_name;
    a03_release_ref_of_another: "A03", "a release's ref points to another release", evidence::release_ref_of_another;
    a08_older_root_again: "A08", "an older trust root comes again as the newest", roots::older_root_again;
    a09_root_of_its_own_keys: "A09", "a root is signed by its own new keys only", roots::root_of_its_own_keys;
    a09_proposal_of_a_stranger: "A09", "a stranger's proposal is the base of the next honest root", roots::proposal_of_a_stranger;
    a09_root_below_the_old_threshold: "A09", "a root is signed by one person's two keys where two persons are asked", roots::root_below_the_old_threshold;
    a09_root_that_skips_a_version: "A09", "a root skips a version", roots::root_that_skips_a_version;
    a09_root_that_lowers_what_must_not_sink: "A09", "a root lowers a floor, or moves the control start", roots::root_that_lowers_what_must_not_sink;
    a11_release_by_a_revoked_key: "A11", "a revoked key signs a release with an earlier date", roots::release_by_a_revoked_key;
    a11_key_that_never_counted: "A11", "a release rests on a key that never counted", roots::key_that_never_counted;
    a12_revocation_dropped: "A12", "a later root drops, softens or postpones a revocation", roots::revocation_dropped;
    a13_key_of_the_tree_under_test: "A13", "the tree under test brings the key that signs it", roots::key_of_the_tree_under_test;
    a14_weak_keys_and_signatures: "A14", "weak keys, and a signature with s + L", roots::weak_keys_and_signatures;
    a15_signature_for_another_purpose: "A15", "a true signature that was made for something else", evidence::signature_for_another_purpose;
    a17_two_notes_on_one_commit: "A17", "a notes tree holds two notes for one commit", evidence::two_notes_on_one_commit;
    a18_damaged_notes: "A18", "notes are cut, stripped, or merged line by line", evidence::damaged_notes;
    a20_malformed_commit: "A20", "a commit says something twice", evidence::malformed_commit;
    a21_swapped_object: "A21", "an object's content is not what its id says", evidence::swapped_object;
    a21_tree_of_another_digest: "A21", "a statement with another source tree than the commit has", evidence::tree_of_another_digest;
    a04_yesterdays_log: "A04", "yesterday's log for somebody who saw today's", freshness::yesterdays_log;
    a05_refs_deleted: "A05", "the log, the notes or a release's ref is deleted", logs::refs_deleted;
    a05_log_cut_off: "A05", "the log is cut off, and the auditor kept a checkpoint", logs::log_cut_off;
    a06_two_logs: "A06", "two logs of one size, both signed by the log's key", freshness::two_logs;
    a07_leaves_changed: "A07", "an old leaf is dropped or slipped in", logs::leaves_changed;
    a07_statement_never_logged: "A07", "a release that was never logged, or stands under no checkpoint", logs::statement_never_logged;
    a07_proof_of_another_leaf: "A07", "a proof of inclusion for another leaf, or by another key", logs::proof_of_another_leaf;
    a10_two_keys_of_one_person: "A10", "two keys of one person meet a threshold of two", thresholds::two_keys_of_one_person;
    a10_one_key_twice: "A10", "one key signs several times", thresholds::one_key_twice;
    a10_a_sign_off_in_anothers_name: "A10", "a sign-off that names another person than its key's holder", thresholds::a_sign_off_in_anothers_name;
    a10_one_key_under_two_ids: "A10", "one key under two ids, or in two forms", thresholds::one_key_under_two_ids;
    a10_threshold_that_sinks_later: "A10", "a proposal is released by a later, lower threshold", thresholds::threshold_that_sinks_later;
    a10_role_that_is_given_later: "A10", "a proposal is released by a role that was given later", thresholds::role_that_is_given_later;
    a10_sign_off_before_the_statement: "A10", "sign-offs that stand before what they sign", thresholds::sign_off_before_the_statement;
    a16_other_spellings: "A16", "one meaning, validly signed, in another encoding (14 ways)", encodings::other_spellings;
    a28_slipped_in_before_a_revocation: "A28", "the log is rebuilt with a statement before a revocation", logs::slipped_in_before_a_revocation;
    a29_file_taken_back_or_edited: "A29", "a commit of the log removes, edits or links a file, or merges", logs::file_taken_back_or_edited;
    a29_late_signature: "A29", "a signature is brought later than its statement", logs::late_signature;
    a35_junk_leaves: "A35", "rubbish under every room of the log", logs::junk_leaves;
    a35_junk_before_the_true_statement: "A35", "rubbish takes the place of the next statements", logs::junk_before_the_true_statement;
    a35_junk_checkpoints: "A35", "checkpoints that are rubbish, of another log, or by a key without the role", logs::junk_checkpoints;
    a35_checkpoint_over_another_log: "A35", "the log's key signs another root over this log", logs::checkpoint_over_another_log;
    a35_old_checkpoint_replayed: "A35", "an old checkpoint is put over the newest log", logs::old_checkpoint_replayed;
    #[ignore = "F10: void roots are reported nowhere"]
    a35_void_leaves_are_reported: "A35", "a void root is reported", logs::void_leaves_are_reported;
    a35_server_that_cuts_the_log: "A35", "the server cuts the log, and waits for honest clients to go on", logs::server_that_cuts_the_log;
    a36_cold_auditor: "A36", "a cold auditor is served the log before a withdrawal", freshness::cold_auditor;
    a36_memory_that_was_poisoned: "A36", "a repository tries to poison the memory of the machine", freshness::memory_that_was_poisoned;
    #[ignore = "F5: nobody asks who signed a kept checkpoint"]
    a36_forged_kept_checkpoint: "A36", "a checkpoint file that nobody of the log signed", freshness::forged_kept_checkpoint;
    #[ignore = "F7: the proof of authorship goes with the author's key"]
    a11_retired_key_of_an_author: "A11", "(benign) a retired key unmakes no release", persons::retired_key_of_an_author;
    a25_missing_statement_of_a_range: "A25", "a release leaves out a commit that it should answer for", changes::missing_statement_of_a_range;
    a26_rules_weakened_in_the_range: "A26", "rules are weakened in the range, and a key is swapped", changes::rules_weakened_in_the_range;
    a26_weakening_approved_by_nobody_of_quality: "A26", "a weakening that nobody of quality or security approved", changes::weakening_approved_by_nobody_of_quality;
    #[ignore = "F12: verification does not recompute the findings of the gate"]
    a26_gate_that_was_not_asked: "A26", "two signers release what their gate stops for its content", changes::gate_that_was_not_asked;
    #[ignore = "F6: earlier releases are judged by the newest root"]
    a26_stricter_rules_later_unmake_nothing: "A26", "(benign) stricter rules later unmake no release", changes::stricter_rules_later_unmake_nothing;
    a31_approval_used_again_after_a_revert: "A31", "a spent approval is used again after a revert", changes::approval_used_again_after_a_revert;
    a31_approval_of_another_change: "A31", "an approval is copied to another change of the same content", changes::approval_of_another_change;
    a31_content_changed_after_approval: "A31", "the content changes after its approval", changes::content_changed_after_approval;
    a32_evil_merge_and_side_branch: "A32", "an evil merge, and a side branch that nobody judged", changes::evil_merge_and_side_branch;
    a32_predecessor_that_was_only_proposed: "A32", "a release follows a proposal", changes::predecessor_that_was_only_proposed;
    a33_emergency_of_nobody: "A33", "an emergency that nobody agreed to, approved by trailers", changes::emergency_of_nobody;
    a33_emergency_overdue: "A33", "an emergency that was never judged afterwards", changes::emergency_overdue;
    #[ignore = "F3: the deadline counts from a claimed time"]
    a33_emergency_that_is_never_overdue: "A33", "an emergency's request claims a time far ahead", changes::emergency_that_is_never_overdue;
    #[ignore = "F4: a release may claim an earlier time than the log has seen"]
    a33_clock_set_back: "A33", "a release claims an earlier time than the log has seen", changes::clock_set_back;
    a33_standing_change_of_nobody: "A33", "a trailer claims a standing change", changes::standing_change_of_nobody;
    a33_deviation_by_its_text: "A33", "a deviation names its own approver", changes::deviation_by_its_text;
    #[ignore = "F8: only first parents are asked who wrote a deviation"]
    a33_deviation_approved_on_a_side_branch: "A33", "a deviation's writer approves it after another one merged it", changes::deviation_approved_by_its_writer_on_a_side_branch;
    #[ignore = "F9: only addresses are asked who wrote a deviation"]
    a33_deviation_approved_under_another_address: "A33", "a deviation's writer approves it after writing it under another address", changes::deviation_approved_by_its_writer_under_another_address;
    a34_approval_by_the_author: "A34", "the author approves with another key", persons::approval_by_the_author;
    a34_commit_in_anothers_name: "A34", "a commit under another person's name", persons::commit_in_anothers_name;
    a34_author_under_another_address: "A34", "the author commits under an address that nobody knows, and approves", persons::author_under_another_address;
    a34_co_author: "A34", "a co-author approves", persons::co_author;
    #[ignore = "F13: whoever records can claim to be the author"]
    a34_record_that_claims_authorship: "A34", "a recorder claims to be the author of what another one's name stands on", persons::record_that_claims_authorship;
    a34_record_in_anothers_name: "A34", "a record that names another recorder than its signer", persons::record_in_anothers_name;
    a19_replaced_objects: "A19", "Git shows another object for one that was signed", machine::replaced_objects;
    a19_grafts_and_graphs: "A19", "grafts, a lying commit graph, a forged shallow file", machine::grafts_and_graphs;
    a22_paths_that_lead_out: "A22", "names that lead out of the folder, or mean another file elsewhere", machine::paths_that_lead_out;
    a22_target_that_is_not_empty: "A22", "links that wait in the folder to write to", machine::target_that_is_not_empty;
    a23_hostile_configuration: "A23", "a repository's configuration names programs, hooks and a promisor", machine::hostile_configuration;
    a23_borrowed_objects: "A23", "objects come from another repository", machine::borrowed_objects;
    a24_ten_thousand_sign_offs: "A24", "10,000 sign-offs that do not hold under one release", exhaustion::ten_thousand_sign_offs;
    a24_many_checkpoints: "A24", "hundreds of forged checkpoints", exhaustion::many_checkpoints;
    a24_too_large_and_too_deep: "A24", "notes of 16 MiB, statements of 20 MiB, trees of 3000 levels", exhaustion::too_large_and_too_deep;
    a24_names_that_forge_a_line: "A24", "control characters and line feeds that forge a verdict", exhaustion::names_that_forge_a_line;
    a25_incomplete_clones: "A25", "shallow and plain clones, missing objects", machine::incomplete_clones;
    a27_configuration_that_pins: "A27", "the repository's configuration claims a pin", design::configuration_that_pins;
    a30_sign_offs_of_another_product: "A30", "sign-offs are carried to a fork of the product", design::sign_offs_of_another_product;
    a37_names_that_are_shadowed: "A37", "a tag or branch of a release's name points elsewhere", design::names_that_are_shadowed;
    a37_evidence_of_what_is_not_verified: "A37", "evidence is asked for of a release that does not verify", design::evidence_of_what_is_not_verified;
    a38_marker_of_a_secret_in_an_item: "A38", "a comment with the marker of a private key takes a file out of control", design::marker_of_a_secret_in_an_item;
    a39_change_in_a_submodule_or_pointer: "A39", "a submodule or LFS pointer carries the change", design::change_in_a_submodule_or_pointer;
    a39_change_in_an_excluded_folder: "A39", "a release over a tree in which an excluded folder differs", design::change_in_an_excluded_folder;
    a39_rule_set_that_is_blind: "A39", "a statement by a rule set that lists nothing", design::rule_set_that_is_blind;
    a40_exported_allowed_signers: "A40", "exported allowed_signers let ssh-keygen accept too much", design::exported_allowed_signers;
}
