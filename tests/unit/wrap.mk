# Functions that a unit test takes the place of.
WRAP_test_deep_quote := hwlink_request hwlink_forget wlink_deeped guest_key_names now_us mgr_timer
