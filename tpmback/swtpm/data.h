/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * data.h - TPM commands over the data connection.
 *
 * Layer:  tpmback; private to chan.c.
 */
#ifndef TPMBACK_SWTPM_DATA_H
#define TPMBACK_SWTPM_DATA_H

#include "tpmback/swtpm/state.h"

/* Answer without the TPM. */
void swtpm_send_error(
    struct swtpm *s, struct swtpm_conn *c, enum swtpm_error e);
/* Submit the commands that have arrived, one at a time. */
void swtpm_process_data(struct swtpm *s, struct swtpm_conn *c);
/* Drop the incomplete command, and answer TPM_RC_COMMAND_SIZE. */
void swtpm_give_up_cmd(struct swtpm *s, struct swtpm_conn *c);
/* The result of poll(2) for the data connection. */
void swtpm_data_ready(struct swtpm *s, struct swtpm_conn *c, short revents);
/* chan_ops of the same names */
void swtpm_reply(struct chan *ch, const uint8_t *resp, size_t len);
bool swtpm_spin(struct chan *ch);
unsigned int swtpm_spin_us(struct chan *ch);

#endif
