/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command_table.h - what the worker must know about a TPM command by its code.
 *
 * Layer:  vtpm; pure.
 * Spec:   TPM 2.0 Library r164, Part 3 (the nv attribute of each command);
 *         TPM Main 1.2 r116, Part 3.
 */
#ifndef VTPM_ENGINE_COMMAND_TABLE_H
#define VTPM_ENGINE_COMMAND_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Exists to change permanent state: not started while the manager
	 * cannot store.  TPM 2.0: the nv attribute, but not the four
	 * commands on PCRs, which have it for the sake of TPMs that save PCRs
	 * in NV; should one of them change state, its response waits. */
	CT_STORES = 1,
	/* Its response reveals nothing of permanent state, so it need not wait
	 * until an earlier command's change is durable. */
	CT_FREE = 2,
	/* May run long enough for a guest to cancel it. */
	CT_SLOW = 4,
	/* Changes PCRs: goes into the journal. */
	CT_PCRS = 8,
	CT_QUOTE = 16,
	CT_STARTUP = 32,
	CT_SHUTDOWN = 64, /* TPM2_Shutdown, TPM_SaveState */
	CT_CAPABILITY = 128,
	CT_RESET = 256, /* TPM2_PCR_Reset, TPM_PCR_Reset */
	/* TPM 2.0: one or two handles precede the authorization area.  Only
	 * for commands whose parameters the worker reads. */
	CT_H1 = 512,
	CT_H2 = 1024,
};

/* TPM 2.0 command codes that are built or parsed here. */
#define CC_EvictControl 0x120u
#define CC_NV_UndefineSpace 0x122u
#define CC_NV_DefineSpace 0x12au
#define CC_PCR_Allocate 0x12bu
#define CC_CreatePrimary 0x131u
#define CC_NV_Write 0x137u
#define CC_NV_WriteLock 0x138u
#define CC_DictionaryAttackParameters 0x13au
#define CC_PCR_Event 0x13cu
#define CC_PCR_Reset 0x13du
#define CC_SelfTest 0x143u
#define CC_Startup 0x144u
#define CC_Shutdown 0x145u
#define CC_StirRandom 0x146u
#define CC_NV_Read 0x14eu
#define CC_PolicySecret 0x151u
#define CC_Create 0x153u
#define CC_Load 0x157u
#define CC_Quote 0x158u
#define CC_FlushContext 0x165u
#define CC_NV_ReadPublic 0x169u
#define CC_ReadPublic 0x173u
#define CC_StartAuthSession 0x176u
#define CC_GetCapability 0x17au
#define CC_GetRandom 0x17bu
#define CC_PCR_Read 0x17eu
#define CC_PCR_Extend 0x182u
#define CC_EventSequenceComplete 0x185u

/* TPM 1.2 ordinals likewise. */
#define ORD_Extend 0x14u
#define ORD_PcrRead 0x15u
#define ORD_PhysicalEnable 0x6fu
#define ORD_PhysicalSetDeactivated 0x72u
#define ORD_CreateEndorsementKeyPair 0x78u
#define ORD_StirRandom 0x47u
#define ORD_Startup 0x99u
#define ORD_SHA1CompleteExtend 0xa3u
#define ORD_PCR_Reset 0xc8u
#define ORD_NV_DefineSpace 0xccu
#define ORD_NV_WriteValue 0xcdu
#define ORD_PhysicalPresence 0x4000000au

/* CT_* of a command; 0 for one that is not listed. */
uint32_t command_table_flags(bool tpm2, uint32_t code);

#endif
