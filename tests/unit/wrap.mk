# Functions that a unit test takes the place of.
WRAP_test_deepq := hwlink_request hwlink_forget wlink_deeped inst_key_names now_us mgr_timer
