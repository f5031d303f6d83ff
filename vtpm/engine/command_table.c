/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command_table.c - what the worker must know of each TPM command.
 */
#include "vtpm/engine/command_table.h"

#include <stddef.h>

#include "base/util.h"

struct row {
	uint32_t code;
	uint32_t flags;
};

/* clang-format off */
static const struct row tpm2[] = { /* ascending */
	{ 0x11f, CT_STORES },			/* NV_UndefineSpaceSpecial */
	{ 0x120, CT_STORES | CT_H2 },			/* EvictControl */
	{ 0x121, CT_STORES },			/* HierarchyControl */
	{ 0x122, CT_STORES },			/* NV_UndefineSpace */
	{ 0x124, CT_STORES },			/* ChangeEPS */
	{ 0x125, CT_STORES },			/* ChangePPS */
	{ 0x126, CT_STORES },			/* Clear */
	{ 0x127, CT_STORES },			/* ClearControl */
	{ 0x128, CT_STORES },			/* ClockSet */
	{ 0x129, CT_STORES },			/* HierarchyChangeAuth */
	{ 0x12a, CT_STORES },			/* NV_DefineSpace */
	{ 0x12b, CT_STORES },			/* PCR_Allocate */
	{ 0x12c, CT_STORES },			/* PCR_SetAuthPolicy */
	{ 0x12d, CT_STORES },			/* PP_Commands */
	{ 0x12e, CT_STORES },			/* SetPrimaryPolicy */
	{ 0x131, CT_SLOW | CT_H1 },			/* CreatePrimary */
	{ 0x132, CT_STORES },			/* NV_GlobalWriteLock */
	{ 0x133, CT_STORES },		/* GetCommandAuditDigest */
	{ 0x134, CT_STORES },			/* NV_Increment */
	{ 0x135, CT_STORES },			/* NV_SetBits */
	{ 0x136, CT_STORES },			/* NV_Extend */
	{ 0x137, CT_STORES },			/* NV_Write */
	{ 0x138, CT_STORES },			/* NV_WriteLock */
	{ 0x139, CT_STORES },	/* DictionaryAttackLockReset */
	{ 0x13a, CT_STORES },		/* DictionaryAttackParameters */
	{ 0x13b, CT_STORES },			/* NV_ChangeAuth */
	{ 0x13c, CT_FREE | CT_PCRS | CT_H1 },		/* PCR_Event */
	{ 0x13d, CT_FREE | CT_PCRS | CT_RESET | CT_H1 }, /* PCR_Reset */
	{ 0x13e, CT_FREE },			/* SequenceComplete */
	{ 0x13f, CT_STORES },			/* SetAlgorithmSet */
	{ 0x140, CT_STORES },	/* SetCommandCodeAuditStatus */
	{ 0x142, CT_STORES | CT_FREE },		/* IncrementalSelfTest */
	{ 0x143, CT_STORES | CT_FREE | CT_SLOW }, /* SelfTest */
	{ 0x144, CT_STORES | CT_STARTUP },	/* Startup */
	{ 0x145, CT_STORES | CT_SHUTDOWN },	/* Shutdown */
	{ 0x146, CT_STORES | CT_FREE },		/* StirRandom */
	{ 0x14f, CT_STORES },			/* NV_ReadLock */
	{ 0x153, CT_SLOW | CT_H1 },			/* Create */
	{ 0x158, CT_QUOTE | CT_H1 },			/* Quote */
	{ 0x15c, CT_FREE },			/* SequenceUpdate */
	{ 0x165, CT_FREE },			/* FlushContext */
	{ 0x17a, CT_FREE | CT_CAPABILITY },	/* GetCapability */
	{ 0x17b, CT_FREE },			/* GetRandom */
	{ 0x17c, CT_FREE },			/* GetTestResult */
	{ 0x17d, CT_FREE },			/* Hash */
	{ 0x17e, CT_FREE },			/* PCR_Read */
	{ 0x181, CT_FREE },			/* ReadClock */
	{ 0x182, CT_FREE | CT_PCRS | CT_H1 },		/* PCR_Extend */
	{ 0x185, CT_FREE | CT_PCRS | CT_H2 },	/* EventSequenceComplete */
	{ 0x186, CT_FREE },			/* HashSequenceStart */
	{ 0x18a, CT_FREE },			/* TestParms */
	{ 0x191, CT_SLOW | CT_H1 },			/* CreateLoaded */
};

static const struct row tpm12[] = { /* ascending */
	{ 0x0d, CT_STORES | CT_SLOW },		/* TakeOwnership */
	{ 0x10, CT_STORES },			/* ChangeAuthOwner */
	{ 0x14, CT_FREE | CT_PCRS },		/* Extend */
	{ 0x15, CT_FREE },			/* PcrRead */
	{ 0x19, CT_STORES },			/* DirWriteAuth */
	{ 0x1f, CT_SLOW },			/* CreateWrapKey */
	{ 0x23, CT_STORES },			/* KeyControlOwner */
	{ 0x2f, CT_STORES },			/* LoadManuMaintPub */
	{ 0x3f, CT_STORES },			/* SetCapability */
	{ 0x40, CT_STORES },			/* ResetLockValue */
	{ 0x46, CT_FREE },			/* GetRandom */
	{ 0x50, CT_FREE | CT_SLOW },		/* SelfTestFull */
	{ 0x53, CT_FREE },			/* ContinueSelfTest */
	{ 0x54, CT_FREE },			/* GetTestResult */
	{ 0x5b, CT_STORES },			/* OwnerClear */
	{ 0x5c, CT_STORES },			/* DisableOwnerClear */
	{ 0x5d, CT_STORES },			/* ForceClear */
	{ 0x5e, CT_STORES },			/* DisableForceClear */
	{ 0x65, CT_FREE },			/* GetCapability */
	{ 0x6e, CT_STORES },			/* OwnerSetDisable */
	{ 0x6f, CT_STORES },			/* PhysicalEnable */
	{ 0x70, CT_STORES },			/* PhysicalDisable */
	{ 0x71, CT_STORES },			/* SetOwnerInstall */
	{ 0x72, CT_STORES },			/* PhysicalSetDeactivated */
	{ 0x74, CT_STORES },			/* SetOperatorAuth */
	{ 0x75, CT_STORES },			/* SetOwnerPointer */
	{ 0x78, CT_STORES | CT_SLOW },	/* CreateEndorsementKeyPair */
	{ 0x79, CT_SLOW },			/* MakeIdentity */
	{ 0x7e, CT_STORES },			/* DisablePubekRead */
	{ 0x7f, CT_STORES | CT_SLOW },		/* CreateRevocableEK */
	{ 0x80, CT_STORES },			/* RevokeTrust */
	{ 0x8d, CT_STORES },		/* SetOrdinalAuditStatus */
	{ 0x98, CT_STORES | CT_SHUTDOWN },	/* SaveState */
	{ 0x99, CT_STORES | CT_STARTUP },	/* Startup */
	{ 0x9a, CT_STORES },			/* SetRedirection */
	{ 0xa0, CT_FREE },			/* SHA1Start */
	{ 0xa1, CT_FREE },			/* SHA1Update */
	{ 0xa2, CT_FREE },			/* SHA1Complete */
	{ 0xa3, CT_FREE | CT_PCRS },		/* SHA1CompleteExtend */
	{ 0xaa, CT_STORES },			/* FieldUpgrade */
	{ 0xc8, CT_FREE | CT_PCRS | CT_RESET },	/* PCR_Reset */
	{ 0xcc, CT_STORES },			/* NV_DefineSpace */
	{ 0xcd, CT_STORES },			/* NV_WriteValue */
	{ 0xce, CT_STORES },			/* NV_WriteValueAuth */
	{ 0xd1, CT_STORES },		/* Delegate_UpdateVerification */
	{ 0xd2, CT_STORES },			/* Delegate_Manage */
	{ 0xd5, CT_STORES },	/* Delegate_CreateOwnerDelegation */
	{ 0xd8, CT_STORES },		/* Delegate_LoadOwnerDelegation */
	{ 0xdc, CT_STORES },			/* CreateCounter */
	{ 0xdd, CT_STORES },			/* IncrementCounter */
	{ 0xdf, CT_STORES },			/* ReleaseCounter */
	{ 0xe0, CT_STORES },			/* ReleaseCounterOwner */
	{ 0xf1, CT_FREE },			/* GetTicks */
	{ 0x4000000a, CT_STORES },		/* TSC_PhysicalPresence */
	{ 0x4000000b, CT_STORES },	/* TSC_ResetEstablishmentBit */
};
/* clang-format on */

uint32_t
command_table_flags(bool is_tpm2, uint32_t code)
{
	const struct row *t = is_tpm2 ? tpm2 : tpm12;
	size_t lo = 0, hi = is_tpm2 ? VT_NELEM(tpm2) : VT_NELEM(tpm12);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t[mid].code == code)
			return t[mid].flags;
		if (t[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}
