#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# seal_luks.sh - a LUKS2 volume that opens by approved boots: vtpm-luks, the
# keyscript of the initramfs, the hooks of initramfs-tools and of kernels.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bootlib.sh"
PATH=$PATH:/usr/sbin:/sbin
need tpm2_pcrextend openssl jq cryptsetup
SRC=$top/tools/luks
cd "$T" || exit 1
REF=6ba7b810-9dad-41d1-80b4-00c04fd430c8:root
mkdir bin
ln -s "$B/vtpm-seal" "$SRC/vtpm-luks" bin
PATH=$T/bin:$PATH
export VTPM_TCTI=$(tcti alice) TMPDIR=$T
openssl genpkey -algorithm RSA -out boot.pem 2>/dev/null
openssl pkey -in boot.pem -pubout -out boot.pub
tampered_log bad.log
echo words >words

volume_opens() { # by the key on standard input
	cryptsetup open --test-passphrase --key-file - luks.img
}
luks() { vtpm-luks "$@"; }
again() { ctl reset alice && boot alice "$@"; }
installed() { # FILE: as make install does
	sed "s|@S*BIN@|$T/bin|g; s|@ASKPASS@|$T/askpass|g" "$SRC/$1.in" >"$1"
	chmod 755 "$1"
}

check "manager starts" start_manager --pool 0 || exit 1
check "a vTPM starts and boots" eval \
    "ctl create alice && ctl start alice && boot alice" || exit 1
head -c 32M /dev/zero >luks.img
printf typed >typed
check "a LUKS2 volume with a passphrase" cryptsetup luksFormat -q --type luks2 \
    --pbkdf pbkdf2 --pbkdf-force-iterations 1000 luks.img typed
refuse "no token yet" "no vtpm-seal token" luks unseal luks.img
check "enrolled to a key" luks enrol luks.img --authority boot.pub --ref $REF \
    --recovery-passphrase words -- --key-file typed
check "by the key alone, in a slot of its own" eval '
    [ "$(cryptsetup luksDump luks.img | grep -c "^  [01]: luks2")" = 2 ]'
refuse "a second token" "has a vtpm-seal token" luks enrol luks.img \
    --authority boot.pub --ref $REF
refuse "nothing is approved yet" "no state is approved for $REF" \
    luks unseal luks.img
check "this boot is approved in the header" luks approve luks.img \
    --key boot.pem --ref $REF --label "kernel 1" --keep 2
check "the volume opens" eval 'luks unseal luks.img | volume_opens'
check "the passphrase opens it, as before" eval 'volume_opens <typed'
check "the next boot is approved" luks approve luks.img --key boot.pem \
    --ref $REF --log bad.log --label "kernel 2" --keep 2
check "and opens it after the reboot" eval \
    'again bad.log && luks unseal luks.img | volume_opens'
check "cryptsetup takes the token as it is" eval '
    cryptsetup luksDump luks.img | grep -q "0: vtpm-seal" &&
    [ "$(luks export luks.img | jq -r ".approvals[].label" | xargs)" = \
      "kernel 1 kernel 2" ]'
check "show tells what is in it" eval '
    luks show luks.img --authority boot.pub | grep -c "signed by the" |
    grep -qx 2'

# --- the initramfs -----------------------------------------------------------
installed keyscript
cat >askpass <<'END'
#!/bin/sh
echo "$1" >>asked
printf typed
END
chmod 755 askpass
keyscript() { CRYPTTAB_SOURCE=luks.img CRYPTTAB_NAME=root ./keyscript "$@"; }
check "the keyscript opens an approved boot without asking" eval \
    'keyscript | volume_opens && [ ! -e asked ]'
check "with cap=8 once, then it asks for the passphrase" eval '
    keyscript cap=8 | volume_opens && [ ! -e asked ] &&
    keyscript cap=8 2>err | volume_opens && grep -q "Passphrase of root" asked'
check "and says why" grep -q "PCR 8 .*is not as approved" err
rm -f asked
check "when a key was wrong it asks a person, not the TPM again" eval '
    again bad.log && CRYPTTAB_TRIED=1 keyscript | volume_opens &&
    grep -q Passphrase asked'
for c in cap=16 cap= cap=8,9 cap=08; do
	rm -f asked
	check "$c is no PCR: nothing opens uncapped" eval '
	    keyscript $c 2>err | volume_opens && grep -q Passphrase asked &&
	    grep -q "$c: not a PCR" err'
done
check "no key is left behind in a file" eval \
    '! ls vtpm-key.* vtpm-luks.* 2>/dev/null | grep -q .'

installed initramfs-hook
cat >functions <<'END'
copy_exec() { echo "$1" >>copied; }
manual_add_modules() { echo "$*" >>modules; }
END
hook() { HOOK_FUNCTIONS=$T/functions CRYPTTAB=$T/crypttab ./initramfs-hook "$@"; }
echo "root UUID=1 none luks" >crypttab
check "the hook adds nothing where no volume needs it" eval \
    'hook && [ ! -e copied ]'
echo "root UUID=1 vtpm luks,keyscript=/lib/cryptsetup/scripts/vtpm-seal" \
    >crypttab
check "else the programs, and the modules of a TPM" eval '
    hook && grep -q "tpm_crb tpm_tis" modules'
for f in "$T/bin/vtpm-seal" "$T/bin/vtpm-luks" /sbin/cryptsetup \
    /usr/lib/*/libtss2-tcti-device.so.0 /bin/mktemp /bin/base64 /bin/head \
    /bin/sed /bin/grep; do
	check "the initramfs has $f" grep -qx "$f" copied
done

# --- the kernel hook --------------------------------------------------------------
again bad.log >/dev/null
luks export luks.img | jq '{pcrs: .approvals[0].pcrs}' >pcrs.json
jq '.pcrs.sha256["9"] |= "11" + .[2:]' pcrs.json >third.json
kernel() { # VERSION PCRS [LINE...]: its hook
	printf '%s\n' "REF=$REF" "DEVICE=$T/luks.img" \
	    "PREDICT='cat $T/$2; echo \"\$1\" >$T/asked-for'" "${@:3}" >seal.conf
	VTPM_SEAL_CONF=$T/seal.conf "$SRC/kernel-hook" "$1" /boot/vmlinuz
}
labels() { luks export luks.img | jq -r '.approvals[].label' | xargs -d '\n'; }
check "a kernel's hook approves its boot" \
    kernel 6.1.0-28 third.json "KEY=$T/boot.pem"
same "the last two are kept" "kernel 2 kernel 6.1.0-28" "$(labels)"
check "the prediction was asked for that version" \
    grep -qx 6.1.0-28 asked-for
jq '.pcrs.sha256["9"] |= "22" + .[2:]' pcrs.json >third.json
check "a new initrd of the same kernel takes its place" \
    kernel 6.1.0-28 third.json "KEY=$T/boot.pem"
same "and pushes out no other" "kernel 2 kernel 6.1.0-28" "$(labels)"
check "two more kernels in a row leave the running boot approved" eval '
    kernel 6.1.0-29 pcrs.json "KEY=$T/boot.pem" &&
    jq ".pcrs.sha256[\"9\"] |= \"33\" + .[2:]" pcrs.json >third.json &&
    kernel 6.1.0-30 third.json "KEY=$T/boot.pem" &&
    luks unseal luks.img | volume_opens'
jq '.pcrs.sha256["9"] |= "44" + .[2:]' pcrs.json >third.json
check "without the key it makes a request" \
    kernel 6.1.0-31 third.json "AUTHORITY=$T/boot.pub"
check "that is signed elsewhere and brought back" eval '
    luks export luks.img >token.json &&
    env -u VTPM_TCTI "$B/vtpm-seal" approve --sign --key boot.pem \
        --epoch 1 -a token.json && luks import luks.img <token.json &&
    luks show luks.img --authority boot.pub >show.out &&
    ! grep -q "not signed" show.out && grep -q "kernel 6.1.0-31" show.out'
luks export luks.img >token.json
refuse "a token that names another key slot is not taken: remove would end it" \
    "another volume's" eval 'jq ".keyslots = [\"0\"]" token.json |
    luks import luks.img'
check "nor are two slots" eval '! jq ".keyslots += [\"0\"]" token.json |
    luks import luks.img && luks export luks.img | cmp - token.json'
refuse "a prediction that fails is said, and fails no package" \
    "next boot of 6.1.0-32 is not approved" eval '
    kernel 6.1.0-32 no-such.json "KEY=$T/boot.pem"; false'
refuse "so is a command that cannot be run" "PREDICT failed" eval '
    kernel 6.1.0-32 pcrs.json "KEY=$T/boot.pem" "PREDICT=/no/such"; false'
check "a prediction without all PCRs is one, if those needed are there" eval '
    kernel 6.1.0-33 pcrs.json "KEY=$T/boot.pem" \
        "PREDICT=\"cat $T/pcrs.json; exit 1\"" && labels | grep -q 6.1.0-33'
check "its exit status is 0" kernel 6.1.0-32 no-such.json "KEY=$T/boot.pem"
check "to a file of approvals, of other PCRs, for a later epoch" \
    kernel 6.1.0-34 third.json "KEY=$T/boot.pem" "DEVICE=" \
    "APPROVALS=$T/own.json" "SELECT=sha256:4,9" "EPOCH=7"
same "as the configuration says" "kernel 6.1.0-34 7 4,9" "$(jq -r '
    .approvals[] | [.label, .epoch, (.pcrs.sha256 | keys | join(","))] |
    join(" ")' own.json)"
check "without a configuration it does nothing" eval '
    VTPM_SEAL_CONF=none "$SRC/kernel-hook" 6.1 | wc -c | grep -qx 0'

# --- revoking, removing ----------------------------------------------------------
refuse "revoking that would shut this volume" "would be shut" \
    luks revoke luks.img
check "approved past the next epoch, and revoked" eval '
    luks approve luks.img --key boot.pem --ref $REF --next-epoch &&
    luks revoke luks.img && luks unseal luks.img | volume_opens'
check "the old boot stays shut" eval \
    'again && ! luks unseal luks.img >/dev/null'
check "its recovery passphrase opens" eval \
    'luks unseal luks.img --recovery-passphrase words | volume_opens'
check "removed: token and slot are gone" eval '
    luks remove luks.img && ! luks export luks.img 2>/dev/null &&
    [ "$(cryptsetup luksDump luks.img | grep -c "^  [01]: luks2")" = 1 ] &&
    volume_opens <typed'
