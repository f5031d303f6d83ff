/* SPDX-License-Identifier: BSD-3-Clause */
/* test_command_class.c - the class of TPM commands, by tpm2-tss' names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <tss2/tss2_tpm2_types.h>

#include "base/util.h"
#include "vtpm/engine/command_class.h"

/* clang-format off */
static const struct {
	uint32_t code;
	enum wclass want;
} cases20[] = {
	{ TPM2_CC_Startup, WCLASS_STARTUP },
	{ TPM2_CC_Shutdown, WCLASS_STARTUP },
	{ TPM2_CC_SelfTest, WCLASS_STARTUP },
	{ TPM2_CC_IncrementalSelfTest, WCLASS_STARTUP },
	{ TPM2_CC_GetTestResult, WCLASS_STARTUP },
	{ TPM2_CC_PCR_Extend, WCLASS_PCR },
	{ TPM2_CC_PCR_Event, WCLASS_PCR },
	{ TPM2_CC_PCR_Read, WCLASS_PCR },
	{ TPM2_CC_PCR_Reset, WCLASS_PCR },
	{ TPM2_CC_PCR_Allocate, WCLASS_PCR },
	{ TPM2_CC_PCR_SetAuthPolicy, WCLASS_PCR },
	{ TPM2_CC_PCR_SetAuthValue, WCLASS_PCR },
	{ TPM2_CC_EventSequenceComplete, WCLASS_PCR },
	{ TPM2_CC_GetRandom, WCLASS_RANDOM },
	{ TPM2_CC_StirRandom, WCLASS_RANDOM },
	{ TPM2_CC_NV_DefineSpace, WCLASS_NV },
	{ TPM2_CC_NV_UndefineSpace, WCLASS_NV },
	{ TPM2_CC_NV_UndefineSpaceSpecial, WCLASS_NV },
	{ TPM2_CC_NV_Write, WCLASS_NV },
	{ TPM2_CC_NV_Read, WCLASS_NV },
	{ TPM2_CC_NV_ReadPublic, WCLASS_NV },
	{ TPM2_CC_NV_Increment, WCLASS_NV },
	{ TPM2_CC_NV_Extend, WCLASS_NV },
	{ TPM2_CC_NV_SetBits, WCLASS_NV },
	{ TPM2_CC_NV_WriteLock, WCLASS_NV },
	{ TPM2_CC_NV_ReadLock, WCLASS_NV },
	{ TPM2_CC_NV_GlobalWriteLock, WCLASS_NV },
	{ TPM2_CC_NV_ChangeAuth, WCLASS_NV },
	{ TPM2_CC_NV_Certify, WCLASS_NV },
	{ TPM2_CC_Create, WCLASS_KEY },
	{ TPM2_CC_CreatePrimary, WCLASS_KEY },
	{ TPM2_CC_CreateLoaded, WCLASS_KEY },
	{ TPM2_CC_Load, WCLASS_KEY },
	{ TPM2_CC_LoadExternal, WCLASS_KEY },
	{ TPM2_CC_MakeCredential, WCLASS_KEY },
	{ TPM2_CC_ActivateCredential, WCLASS_KEY },
	{ TPM2_CC_EvictControl, WCLASS_KEY },
	{ TPM2_CC_FlushContext, WCLASS_KEY },
	{ TPM2_CC_ContextLoad, WCLASS_KEY },
	{ TPM2_CC_ContextSave, WCLASS_KEY },
	{ TPM2_CC_ReadPublic, WCLASS_KEY },
	{ TPM2_CC_Unseal, WCLASS_KEY },
	{ TPM2_CC_Import, WCLASS_KEY },
	{ TPM2_CC_Duplicate, WCLASS_KEY },
	{ TPM2_CC_Rewrap, WCLASS_KEY },
	{ TPM2_CC_ObjectChangeAuth, WCLASS_KEY },
	{ TPM2_CC_Quote, WCLASS_SIGN },
	{ TPM2_CC_Sign, WCLASS_SIGN },
	{ TPM2_CC_Certify, WCLASS_SIGN },
	{ TPM2_CC_CertifyCreation, WCLASS_SIGN },
	{ TPM2_CC_VerifySignature, WCLASS_SIGN },
	{ TPM2_CC_RSA_Encrypt, WCLASS_SIGN },
	{ TPM2_CC_RSA_Decrypt, WCLASS_SIGN },
	{ TPM2_CC_ECDH_KeyGen, WCLASS_SIGN },
	{ TPM2_CC_ECDH_ZGen, WCLASS_SIGN },
	{ TPM2_CC_HMAC, WCLASS_SIGN },
	{ TPM2_CC_HMAC_Start, WCLASS_SIGN },
	{ TPM2_CC_SequenceUpdate, WCLASS_SIGN },
	{ TPM2_CC_SequenceComplete, WCLASS_SIGN },
	{ TPM2_CC_Commit, WCLASS_SIGN },
	{ TPM2_CC_HashSequenceStart, WCLASS_SIGN },
	{ TPM2_CC_Hash, WCLASS_SIGN },
	{ TPM2_CC_GetTime, WCLASS_SIGN },
	{ TPM2_CC_EncryptDecrypt, WCLASS_SIGN },
	{ TPM2_CC_EncryptDecrypt2, WCLASS_SIGN },
	{ TPM2_CC_GetSessionAuditDigest, WCLASS_SIGN },
	{ TPM2_CC_GetCommandAuditDigest, WCLASS_SIGN },
	{ TPM2_CC_StartAuthSession, WCLASS_SESSION },
	{ TPM2_CC_PolicyPCR, WCLASS_SESSION },
	{ TPM2_CC_PolicySecret, WCLASS_SESSION },
	{ TPM2_CC_PolicySigned, WCLASS_SESSION },
	{ TPM2_CC_PolicyAuthorize, WCLASS_SESSION },
	{ TPM2_CC_PolicyAuthValue, WCLASS_SESSION },
	{ TPM2_CC_PolicyCommandCode, WCLASS_SESSION },
	{ TPM2_CC_PolicyCounterTimer, WCLASS_SESSION },
	{ TPM2_CC_PolicyCpHash, WCLASS_SESSION },
	{ TPM2_CC_PolicyLocality, WCLASS_SESSION },
	{ TPM2_CC_PolicyNameHash, WCLASS_SESSION },
	{ TPM2_CC_PolicyOR, WCLASS_SESSION },
	{ TPM2_CC_PolicyTicket, WCLASS_SESSION },
	{ TPM2_CC_PolicyNV, WCLASS_SESSION },
	{ TPM2_CC_PolicyRestart, WCLASS_SESSION },
	{ TPM2_CC_PolicyGetDigest, WCLASS_SESSION },
	{ TPM2_CC_PolicyPassword, WCLASS_SESSION },
	{ TPM2_CC_PolicyDuplicationSelect, WCLASS_SESSION },
	{ TPM2_CC_PolicyPhysicalPresence, WCLASS_SESSION },
	{ TPM2_CC_PolicyNvWritten, WCLASS_SESSION },
	{ TPM2_CC_PolicyTemplate, WCLASS_SESSION },
	{ TPM2_CC_PolicyAuthorizeNV, WCLASS_SESSION },
	{ TPM2_CC_GetCapability, WCLASS_OTHER },
	{ TPM2_CC_Clear, WCLASS_OTHER },
	{ TPM2_CC_ReadClock, WCLASS_OTHER },
	{ TPM2_CC_DictionaryAttackLockReset, WCLASS_OTHER },
	{ TPM2_CC_TestParms, WCLASS_OTHER },
	{ TPM2_CC_HierarchyChangeAuth, WCLASS_OTHER },
	{ TPM2_CC_HierarchyControl, WCLASS_OTHER },
	{ TPM2_CC_Vendor_TCG_Test, WCLASS_OTHER },
	{ 0, WCLASS_OTHER },
	{ UINT32_MAX, WCLASS_OTHER },
};
/* clang-format on */

static void
commands_have_the_class_of_their_name(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases20); i++)
		if (command_class(true, cases20[i].code) != cases20[i].want)
			fail_msg("0x%x", cases20[i].code);
}

/* TPM Main 1.2, Part 2, 17: the ordinals. */
static void
so_have_ordinals(void **state)
{
	static const struct {
		uint32_t code;
		enum wclass want;
	} cases[] = { { 0x99, WCLASS_STARTUP }, { 0x98, WCLASS_STARTUP },
		{ 0x14, WCLASS_PCR }, { 0x15, WCLASS_PCR },
		{ 0x46, WCLASS_RANDOM }, { 0xcd, WCLASS_NV },
		{ 0xcf, WCLASS_NV }, { 0x17, WCLASS_KEY },
		{ 0x16, WCLASS_SIGN }, { 0x0a, WCLASS_SESSION },
		{ 0x65, WCLASS_OTHER }, { 0x182, WCLASS_OTHER } };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++)
		assert_int_equal(
		    command_class(false, cases[i].code), cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_have_the_class_of_their_name),
		cmocka_unit_test(so_have_ordinals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
