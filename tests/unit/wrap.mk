# Functions that a unit test takes the place of.
WRAP_test_swtpm_stall := now_us timerfd_settime
WRAP_test_deep_quote := hwlink_request hwlink_forget now_us loop_timer
WRAP_test_store_faults := fsync
WRAP_test_store_limits := fallocate fstatvfs
WRAP_test_ca := time
WRAP_test_host_fit := hwlink_request hwlink_forget host_keys_must_fit host_keys_approved
WRAP_test_guest_store := digest_buf wlink_stored commit_state audit_log
WRAP_test_guest_stats := wlink_request
WRAP_test_guest_launched := audit_log commit_soon
