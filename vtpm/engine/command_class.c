/* SPDX-License-Identifier: BSD-3-Clause */
/* command_class.c - the class of each command code. */
#include "vtpm/engine/command_class.h"

#include <stddef.h>

#include "base/util.h"

struct range {
	uint16_t first, last;
	uint8_t class; /* enum wclass */
};

/* clang-format off */
/* The first range that has the code counts. */
static const struct range tpm20[] = {
	{ 0x143, 0x145, WCLASS_STARTUP }, /* SelfTest, Startup, Shutdown */
	{ 0x142, 0x142, WCLASS_STARTUP }, /* IncrementalSelfTest */
	{ 0x17c, 0x17c, WCLASS_STARTUP }, /* GetTestResult */
	{ 0x12b, 0x12c, WCLASS_PCR },     /* PCR_Allocate, PCR_SetAuthPolicy */
	{ 0x13c, 0x13d, WCLASS_PCR },     /* PCR_Event, PCR_Reset */
	{ 0x17e, 0x17e, WCLASS_PCR },     /* PCR_Read */
	{ 0x182, 0x183, WCLASS_PCR },     /* PCR_Extend, PCR_SetAuthValue */
	{ 0x185, 0x185, WCLASS_PCR },     /* EventSequenceComplete */
	{ 0x13e, 0x13e, WCLASS_SIGN },    /* SequenceComplete */
	{ 0x18b, 0x18b, WCLASS_SIGN },    /* Commit */
	{ 0x146, 0x146, WCLASS_RANDOM },  /* StirRandom */
	{ 0x17b, 0x17b, WCLASS_RANDOM },  /* GetRandom */
	{ 0x11f, 0x11f, WCLASS_NV },      /* NV_UndefineSpaceSpecial */
	{ 0x122, 0x122, WCLASS_NV },      /* NV_UndefineSpace */
	{ 0x12a, 0x12a, WCLASS_NV },      /* NV_DefineSpace */
	{ 0x132, 0x132, WCLASS_NV },      /* NV_GlobalWriteLock */
	{ 0x134, 0x138, WCLASS_NV },      /* NV_Increment to NV_WriteLock */
	{ 0x13b, 0x13b, WCLASS_NV },      /* NV_ChangeAuth */
	{ 0x14e, 0x14f, WCLASS_NV },      /* NV_Read, NV_ReadLock */
	{ 0x169, 0x169, WCLASS_NV },      /* NV_ReadPublic */
	{ 0x184, 0x184, WCLASS_NV },      /* NV_Certify */
	{ 0x120, 0x120, WCLASS_KEY },     /* EvictControl */
	{ 0x131, 0x131, WCLASS_KEY },     /* CreatePrimary */
	{ 0x147, 0x147, WCLASS_KEY },     /* ActivateCredential */
	{ 0x14b, 0x14b, WCLASS_KEY },     /* Duplicate */
	{ 0x150, 0x150, WCLASS_KEY },     /* ObjectChangeAuth */
	{ 0x152, 0x153, WCLASS_KEY },     /* Rewrap, Create */
	{ 0x156, 0x157, WCLASS_KEY },     /* Import, Load */
	{ 0x15e, 0x15e, WCLASS_KEY },     /* Unseal */
	{ 0x161, 0x162, WCLASS_KEY },     /* ContextLoad, ContextSave */
	{ 0x165, 0x165, WCLASS_KEY },     /* FlushContext */
	{ 0x167, 0x168, WCLASS_KEY },     /* LoadExternal, MakeCredential */
	{ 0x173, 0x173, WCLASS_KEY },     /* ReadPublic */
	{ 0x191, 0x191, WCLASS_KEY },     /* CreateLoaded */
	{ 0x133, 0x133, WCLASS_SIGN },    /* GetCommandAuditDigest */
	{ 0x148, 0x148, WCLASS_SIGN },    /* Certify */
	{ 0x14a, 0x14a, WCLASS_SIGN },    /* CertifyCreation */
	{ 0x14c, 0x14d, WCLASS_SIGN },    /* GetTime, GetSessionAuditDigest */
	{ 0x154, 0x155, WCLASS_SIGN },    /* ECDH_ZGen, HMAC */
	{ 0x158, 0x159, WCLASS_SIGN },    /* Quote, RSA_Decrypt */
	{ 0x15b, 0x15d, WCLASS_SIGN },    /* HMAC_Start to Sign */
	{ 0x163, 0x164, WCLASS_SIGN },    /* ECDH_KeyGen, EncryptDecrypt */
	{ 0x174, 0x174, WCLASS_SIGN },    /* RSA_Encrypt */
	{ 0x177, 0x177, WCLASS_SIGN },    /* VerifySignature */
	{ 0x17d, 0x17d, WCLASS_SIGN },    /* Hash */
	{ 0x186, 0x186, WCLASS_SIGN },    /* HashSequenceStart */
	{ 0x18d, 0x18e, WCLASS_SIGN },    /* ZGen_2Phase, EC_Ephemeral */
	{ 0x193, 0x193, WCLASS_SIGN },    /* EncryptDecrypt2 */
	{ 0x197, 0x197, WCLASS_SIGN },    /* CertifyX509 */
	{ 0x149, 0x149, WCLASS_SESSION }, /* PolicyNV */
	{ 0x151, 0x151, WCLASS_SESSION }, /* PolicySecret */
	{ 0x160, 0x160, WCLASS_SESSION }, /* PolicySigned */
	{ 0x16a, 0x172, WCLASS_SESSION }, /* PolicyAuthorize to PolicyTicket */
	{ 0x176, 0x176, WCLASS_SESSION }, /* StartAuthSession */
	{ 0x17f, 0x180, WCLASS_SESSION }, /* PolicyPCR, PolicyRestart */
	{ 0x187, 0x189, WCLASS_SESSION }, /* PolicyPhysicalPresence and on */
	{ 0x18c, 0x18c, WCLASS_SESSION }, /* PolicyPassword */
	{ 0x18f, 0x190, WCLASS_SESSION }, /* PolicyNvWritten, PolicyTemplate */
	{ 0x192, 0x192, WCLASS_SESSION }, /* PolicyAuthorizeNV */
};

static const struct range tpm12[] = {
	{ 0x50, 0x54, WCLASS_STARTUP },  /* SelfTestFull to GetTestResult */
	{ 0x98, 0x99, WCLASS_STARTUP },  /* SaveState, Startup */
	{ 0x14, 0x15, WCLASS_PCR },      /* Extend, PcrRead */
	{ 0xc8, 0xc8, WCLASS_PCR },      /* PCR_Reset */
	{ 0x46, 0x47, WCLASS_RANDOM },   /* GetRandom, StirRandom */
	{ 0xcc, 0xd0, WCLASS_NV },       /* NV_DefineSpace and on */
	{ 0x17, 0x18, WCLASS_KEY },      /* Seal, Unseal */
	{ 0x1f, 0x21, WCLASS_KEY },      /* CreateWrapKey to LoadKey */
	{ 0x41, 0x41, WCLASS_KEY },      /* LoadKey2 */
	{ 0x79, 0x7a, WCLASS_KEY },      /* MakeIdentity, ActivateIdentity */
	{ 0x16, 0x16, WCLASS_SIGN },     /* Quote */
	{ 0x3c, 0x3c, WCLASS_SIGN },     /* Sign */
	{ 0x3e, 0x3e, WCLASS_SIGN },     /* Quote2 */
	{ 0x0a, 0x0b, WCLASS_SESSION },  /* OIAP, OSAP */
	{ 0x11, 0x11, WCLASS_SESSION },  /* DSAP */
};
/* clang-format on */

enum wclass
command_class(bool tpm2, uint32_t code)
{
	const struct range *t = tpm2 ? tpm20 : tpm12;
	size_t n = tpm2 ? VT_NELEM(tpm20) : VT_NELEM(tpm12), i;

	for (i = 0; i < n; i++)
		if (code >= t[i].first && code <= t[i].last)
			return (enum wclass)t[i].class;
	return WCLASS_OTHER;
}
