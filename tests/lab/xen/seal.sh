# SPDX-License-Identifier: BSD-3-Clause
# seal.sh - sourced by guest-init: a secret that lies sealed on xvdb.
insmod /mods/xen-blkfront.ko
n=0
until [ -b /dev/xvdb ] || [ $n -ge 100 ]; do usleep 50000; n=$((n + 1)); done
head -c 8192 /dev/xvdb | tr -d '\0' | base64 -d >/tmp/blob 2>/dev/null
if [ -s /tmp/blob ]; then
	if vtpm-seal unseal --tcti device:/dev/tpm0 -i /tmp/blob \
	    -o /tmp/secret 2>/tmp/seal.out; then
		echo "@UNSEALED $(cat /tmp/secret)"
	else
		echo "@REFUSED $(tr '\n' ' ' </tmp/seal.out)"
	fi
elif echo "the cat is in the bag" | vtpm-seal seal --tcti device:/dev/tpm0 \
    --pcrs "$seal" -o /tmp/blob 2>/tmp/seal.out; then
	base64 -w 0 /tmp/blob | dd of=/dev/xvdb conv=fsync 2>/dev/null
	echo "@SEALED"
else
	echo "@SEALFAIL $(tr '\n' ' ' </tmp/seal.out)"
fi
