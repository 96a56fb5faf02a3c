//! The scenarios in `tests/scenarios/`: shell scripts that run the real binaries on real SQLite files, one test each.
//!
//! Each runs in an empty folder with a state directory of its own and the bare environment that cron gives, so nothing of
//! the machine's settings or of another scenario reaches it. What they share is `tests/scenarios/lib.sh`.

#![allow(clippy::print_stderr)] // what a test could not run has to be said

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A scenario that could not run here (no root, another system) ends with this, and its last line says why.
const NOT_RUN: i32 = 77;

/// Declares one test a script, and the list that is held against the folder.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                tell(stringify!($name));
            }
        )*

        const LISTED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    a_backup_is_restored_by_standard_programs_alone
    a_backup_travels_as_one_file_with_all_that_it_needs
    a_chain_of_three_travels_as_one_file_into_an_empty_store
    a_code_approves_once_and_exactly_what_was_planned
    a_command_of_the_configuration_approves_or_refuses
    a_cut_record_is_named_and_hides_no_other_version
    a_dry_run_says_the_plan_and_changes_nothing
    a_full_backup_takes_the_versions_of_files_along
    a_migration_is_rehearsed_on_a_clone_and_the_real_database_is_watched
    a_person_at_the_terminal_decides_what_becomes_of_a_failed_migration
    a_person_at_the_terminal_types_the_name
    a_preview_tells_what_is_in_a_backup_and_what_differs_from_now
    a_protected_environment_wants_its_name
    a_restore_can_be_undone_twice_and_discarded
    a_safety_backup_counts_only_for_the_database_that_it_is_of
    a_table_that_only_the_application_can_read_is_never_taken_for_unchanged
    an_environment_of_files_alone_is_backed_up_checked_and_restored
    an_incomplete_backup_is_called_so_everywhere
    an_increment_reads_and_stores_only_the_files_that_have_changed
    as_restore_txt_says_everything_comes_back_and_the_backup_stays_as_it_was
    backups_are_deleted_by_name_and_never_from_under_others
    database_files_and_configuration_are_one_backup_and_all_come_back
    dumps_of_other_programs_are_adopted
    every_keep_flag_keeps_what_it_says
    files_of_anyone_are_restored_by_their_content_and_cut_ones_refused
    files_whose_length_reads_zero_and_that_hold_something_are_named
    fm_a20_a_huge_file_is_saved_and_restored_in_bounded_memory
    fm_b01_a_killed_import_is_completed_with_pin_tag_and_failed_check
    fm_b01_fm_b05_a_tag_killed_or_failing_at_any_step_is_there_or_not_and_takes_no_other_along
    fm_b01_fm_b05_fm_b06_an_increment_that_fails_at_any_step_harms_no_chain
    fm_b01_fm_c01_a_backup_killed_at_any_step_leaves_whole_backups_only
    fm_b01_fm_c01_a_full_backup_killed_at_any_step_leaves_whole_backups_only
    fm_b01_fm_c01_a_save_killed_at_any_step_leaves_whole_versions_only
    fm_b01_fm_e06_a_prune_in_a_chain_keeps_what_is_needed_when_it_is_killed_too
    fm_b01_fm_e06_a_prune_killed_at_any_step_loses_nothing_that_was_to_stay
    fm_b01_fm_e06_archive_delete_and_prune_of_chains_killed_at_any_step_leave_whole_chains
    fm_b01_fm_f03_a_restore_and_its_undo_killed_at_any_step_are_all_old_or_all_new_with_a_rollback_journal
    fm_b01_fm_f03_a_restore_and_its_undo_killed_at_any_step_are_all_old_or_all_new_with_a_write_ahead_log
    fm_b01_fm_f15_a_restore_of_files_killed_or_failing_at_any_step_is_finished_by_the_same_call
    fm_b01_random_kills_of_backup_and_restore_harm_nothing
    fm_b02_a_signal_stops_a_wait_for_a_locked_database
    fm_b02_fm_b03_a_signal_stops_a_backup_cleanly_with_its_own_status
    fm_b02_fm_b03_a_signal_stops_a_save_or_a_restore_of_a_file_cleanly
    fm_b05_a_real_small_disk_that_fills_up_keeps_what_it_held
    fm_b05_fm_b16_a_full_disk_at_any_step_of_a_full_backup_publishes_nothing_and_keeps_older_ones
    fm_b05_fm_b16_a_full_disk_at_any_step_of_a_save_keeps_the_versions_there_are
    fm_b05_fm_b16_a_full_disk_at_any_step_publishes_nothing_and_keeps_older_backups
    fm_b06_fm_b07_an_io_error_at_any_step_of_a_full_backup_publishes_nothing_and_keeps_older_ones
    fm_b06_fm_b07_an_io_error_at_any_step_of_a_save_keeps_the_versions_there_are
    fm_b06_fm_b07_an_io_error_at_any_step_publishes_nothing_and_keeps_older_backups
    fm_b08_a_disk_that_became_read_only_fails_and_keeps_what_it_holds
    fm_b08_a_store_that_cannot_be_written_fails_and_keeps_what_it_holds
    fm_b19_closed_descriptors_harm_nothing
    fm_b21_small_limits_of_the_process_are_told
    fm_c03_a_damaged_line_beside_a_backup_holds_it_and_stops_no_other
    fm_c03_fm_c05_a_damaged_content_is_named_with_its_versions_and_never_restored
    fm_c05_a_backup_has_one_verdict_wherever_it_is_shown
    fm_c05_a_cut_or_grown_file_of_a_backup_is_noticed_and_never_restored
    fm_c05_a_damaged_archive_of_files_gives_back_every_file_that_is_whole
    fm_c05_fm_c09_a_base_that_is_gone_replaced_or_damaged_is_named_with_all_that_need_it
    fm_c06_a_backup_that_lost_its_manifest_is_named_and_left_where_it_is
    fm_c07_fm_j05_an_edited_manifest_leads_nowhere_and_shows_no_escapes
    fm_c08_a_backup_of_a_newer_version_is_neither_restored_nor_removed
    fm_c09_a_copied_folder_is_called_a_copy_and_counted_once
    fm_c10_a_collection_of_another_machine_takes_nothing_from_a_save
    fm_c10_fm_i11_of_many_runs_at_once_one_works_and_the_others_say_who
    fm_c10_saves_at_once_are_one_after_the_other
    fm_c12_the_lock_of_a_killed_run_is_nobodys
    fm_c14_a_clock_that_goes_back_keeps_the_order_and_prunes_nothing
    fm_c14_a_clock_that_once_stood_ahead_lets_no_changed_file_be_taken_for_unchanged
    fm_c14_one_run_under_a_clock_of_the_future_keeps_no_full_young_for_ever
    fm_c17_backups_of_one_second_are_different_backups
    fm_c18_fm_e01_fm_e09_a_folder_whose_disk_is_not_mounted_makes_no_good_backup
    fm_c18_a_store_whose_disk_is_not_mounted_is_refused_until_a_new_one_is_meant
    fm_c19_a_store_that_became_a_link_to_another_store_is_refused
    fm_c19_what_is_no_ordinary_file_is_refused_and_odd_names_are_only_names
    fm_c20_names_that_differ_by_case_only_are_refused
    fm_d02_checks_and_labels_that_are_only_in_the_cloud_hold_their_backup
    fm_d02_fm_d04_what_a_sync_service_makes_is_named_and_never_removed
    fm_d02_nothing_is_deleted_from_under_an_increment_that_cannot_be_read
    fm_d09_a_store_without_any_backup_is_bad_news
    fm_d09_fm_j08_fm_i12_the_guard_sees_what_is_gone_and_what_is_late
    fm_e01_a_memory_of_backups_that_is_stale_cut_or_forged_removes_nothing_that_a_look_keeps
    fm_e01_backups_of_other_things_push_out_none
    fm_e01_fm_e05_a_chain_is_kept_and_counted_by_what_it_stands_on
    fm_e01_fm_e05_retention_keeps_the_last_good_and_whatever_is_not_ours
    fm_e03_a_failed_run_prunes_nothing
    fm_e06_a_collection_removes_what_no_version_needs_and_nothing_else
    fm_f01_the_wrong_environment_or_database_is_refused
    fm_f02_fm_f16_a_database_in_use_is_restored_under_its_readers_and_not_under_a_writer
    fm_f03_fm_f04_a_restored_version_is_all_old_or_all_new_whatever_stops_it
    fm_f04_a_full_disk_at_any_step_of_a_restore_leaves_the_target_as_it_was
    fm_f04_one_file_that_cannot_be_replaced_is_named_and_the_others_are_restored
    fm_f05_fm_f06_a_damaged_backup_is_refused_before_anything_is_touched
    fm_f07_queries_of_the_configuration_guard_the_swap_and_the_rehearsal
    fm_f08_a_broken_target_is_kept_aside_as_it_is
    fm_f10_fm_f11_fm_f12_fm_f13_fm_f14_nothing_an_archive_says_leads_out_of_the_folder
    fm_f14_a_file_with_the_name_of_a_draft_or_of_a_note_is_restored_like_any_other
    fm_f15_a_restore_of_files_that_was_cut_short_is_finished_by_no_other_call
    fm_f15_folders_that_may_not_be_written_in_are_restored_by_their_owner_after_any_kill
    fm_g01_a_rollback_brings_back_what_stands_in_no_row_and_what_is_no_database_any_more
    fm_g01_fm_g02_a_failed_migration_is_rolled_back_and_its_status_passes_through
    fm_g03_what_a_migration_leaves_running_is_waited_for_and_named
    fm_g04_a_migration_that_takes_too_long_is_ended_with_all_it_has_started
    fm_g05_a_migration_that_loses_a_single_row_is_rejected_and_rolled_back
    fm_g07_a_rollback_that_fails_leaves_both_states_and_a_way_on
    fm_g07_fm_b05_a_full_disk_at_any_step_leaves_a_failed_migration_undone_or_both_states_there
    fm_g07_fm_b06_an_io_error_at_any_step_leaves_a_good_migration_done_or_not_begun
    fm_g08_fm_g14_without_a_good_backup_or_a_command_nothing_is_run
    fm_g10_a_migration_inside_a_migration_runs_as_it_is
    fm_g11_fm_g12_a_signal_reaches_the_command_once_and_the_rollback_still_runs
    fm_g13_a_migration_runs_as_if_it_had_been_started_directly
    fm_g15_a_rollback_comes_under_an_application_that_goes_on_working
    fm_g16_the_wrong_environment_or_database_is_refused_with_both_names
    fm_g16_what_the_database_says_of_itself_is_compared_with_what_was_meant
    fm_g17_a_good_migration_killed_at_any_step_is_told_and_kept_or_brought_back
    fm_g17_after_a_kill_at_any_moment_the_next_run_says_what_is_and_brings_it_back
    fm_g17_fm_g07_a_failing_migration_killed_at_any_step_is_told_and_brought_back
    fm_h01_tests_that_reach_the_real_database_are_caught_table_by_table
    fm_h01_tests_work_on_a_clone_and_whatever_they_drop_the_real_database_is_equal
    fm_h04_ten_test_runs_at_once_have_ten_clones
    fm_h05_fm_b06_an_io_error_at_any_step_leaves_tests_in_place_undone_or_both_states_there
    fm_h05_fm_h06_a_killed_runs_clone_is_swept_and_nobody_elses_is
    fm_h05_tests_in_place_killed_at_any_step_are_told_and_undone
    fm_i01_fm_i02_a_wrong_configuration_is_status_6_with_its_line
    fm_i04_a_configuration_is_found_from_any_folder_and_its_paths_start_there
    fm_i06_everything_is_private_whatever_the_umask
    fm_i08_fm_i09_a_password_shows_nowhere
    fm_j01_planted_links_are_not_followed
    fm_j02_a_store_that_others_can_write_is_told
    fm_j03_odd_names_of_databases_are_only_names
    fm_j05_a_hostile_export_brings_nothing_into_the_store
    fm_j05_an_edited_increment_brings_nothing_into_the_store
    fm_j07_a_run_killed_at_any_step_leaves_an_audit_trail_that_verifies
    fm_j07_an_audit_line_that_fails_at_any_step_loses_no_backup_and_is_status_7
    fm_j07_an_audit_trail_that_cannot_be_written_is_told_and_nothing_is_lost
    fm_j07_runs_at_once_leave_one_unbroken_audit_trail
    increments_are_restored_at_every_link_by_holdfast_and_by_recover
    json_is_one_document_for_results_and_for_errors
    of_many_runs_with_one_code_one_goes_on
    old_backups_move_to_the_archives_as_whole_chains
    patterns_file_systems_and_the_store_itself_decide_what_is_taken_along
    selectors_find_what_is_meant_and_nothing_else
    single_files_come_out_of_an_archive_that_is_damaged_elsewhere
    ten_thousand_small_files_are_backed_up_checked_and_restored
    tests_in_place_are_undone_whatever_they_did
    the_application_itself_decides_whether_a_migration_was_good
    the_audit_trail_tells_who_did_what
    the_catalog_lists_labels_and_tells_figures
    the_latest_of_the_catalog_may_be_one_of_files
    the_store_is_known_by_any_way_that_leads_into_it
    the_wrappers_leave_their_report_and_their_lines_in_the_audit_trail
    two_backups_are_compared_with_each_other_and_with_what_is_there_now
    two_persons_are_two_users_of_the_machine
    undo_without_a_configuration_never_reaches_another_folders_database
    versions_of_a_file_are_saved_shown_compared_tagged_and_restored
    what_a_user_may_not_read_is_named_and_the_backup_is_partial
    what_another_file_system_holds_under_equal_numbers_and_times_is_read
    what_backup_db_prints_is_what_restore_db_takes
    what_cannot_be_done_is_said_before_anything_is_created
    what_is_missing_or_changes_while_it_is_read_is_named_and_the_backup_is_partial
    what_is_written_through_a_mapping_is_never_taken_for_unchanged
}

#[test]
fn every_script_is_listed() {
    let scripts: BTreeSet<String> = fs::read_dir(folder())
        .expect("the scenarios")
        .filter_map(|entry| entry.expect("an entry").file_name().to_str()?.strip_suffix(".sh").map(str::to_owned))
        // What is only sourced has no first line for an interpreter.
        .filter(|name| fs::read_to_string(folder().join(format!("{name}.sh"))).expect("a script").starts_with("#!"))
        .collect();
    let listed: BTreeSet<String> = LISTED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(scripts, listed, "tests/scenarios.rs does not list what is in tests/scenarios");
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"))
}

fn tell(name: &str) {
    let own = tempfile::tempdir().expect("a folder");
    let work = own.path().join("work");
    let state = own.path().join("state");
    fs::create_dir(&work).expect("a folder to work in");
    let binaries = Path::new(env!("CARGO_BIN_EXE_backup-db")).parent().expect("a binary lies in a folder");
    let mut script = Command::new("sh");
    script
        .arg(folder().join(format!("{name}.sh")))
        .current_dir(&work)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", binaries.display()))
        .env("SHELL", "/bin/sh")
        .env("HOLDFAST_STATE_DIR", &state)
        .env("SCENARIOS", folder())
        .env("SAID", own.path())
        .stdin(Stdio::null());
    if let Some(soak) = std::env::var_os("HOLDFAST_SOAK") {
        script.env("HOLDFAST_SOAK", soak);
    }
    let output = script.output().expect("sh");
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NOT_RUN) {
        eprintln!("NOT RUN: {name}: {}", said.lines().last().unwrap_or_default());
        return;
    }
    assert!(output.status.success(), "{name}: {}\n{}{said}", output.status, String::from_utf8_lossy(&output.stdout));
    let orphans = processes_with(&format!("HOLDFAST_STATE_DIR={}", state.display()));
    assert!(orphans.is_empty(), "{name} left processes running: {orphans:?}");
}

/// The command lines of the processes whose environment holds this text: what a scenario started carries its state directory.
fn processes_with(variable: &str) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let carries = |folder: &Path| {
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    processes
        .flatten()
        .map(|process| process.path())
        .filter(|folder| carries(folder))
        .map(|folder| String::from_utf8_lossy(&fs::read(folder.join("cmdline")).unwrap_or_default()).replace('\0', " "))
        .collect()
}
