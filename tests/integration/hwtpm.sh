#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hwtpm.sh - vtpm-hwtpm against a stock swtpm: keys made once and loaded again,
# certificates that openssl accepts, other TPMs refused, lost and reset TPMs
# survived, everything bounded.
. "$(dirname "$0")/tpmlib.sh"
hwtpm=${HWTPM:-$B/vtpm-hwtpm}
hwcmd=${HWCMD:-$B/tests/hwcmd}
uuid=11112222-3333-4444-5555-666677778888

# A TPM NAME with its state in NAME.d; swtpm's options follow.
cat >tpm.sh <<END
. "$top/tests/swtpm.sh"
name=\$1; shift
swtpm_run "\$name.d" "\$name" --flags not-need-init "\$@"
echo \$SWTPM_PID >"\$name.pid"
END
start_tpm() {
	bash tpm.sh "$@"
	pids+=("$(cat "$1.pid")")
}
# For `sh` commands of hwcmd: end it, start it anew.
cat >stop.sh <<'END'
kill -${2:-KILL} "$(cat "$1.pid")"
while kill -0 "$(cat "$1.pid")" 2>/dev/null; do sleep 0.02; done
END
run() { # TPM, options of hwtpm, commands...
	local tpm=$1 opt=$2
	shift 2
	timeout 100 "$hwcmd" "$hwtpm --tcti swtpm:path=$dir/$tpm $opt" "$@" \
	    >out 2>err
}
forget() { pids+=("$(cat "$1.pid")"); }

start_tpm a --tpm2
start_tpm b --tpm2

# Keys of a guest: of b, which plays the guest's vTPM here.
export TPM2TOOLS_TCTI=swtpm:path=$dir/b
{
	tpm2_startup -c
	tpm2_createek -c ekr.ctx -G rsa -u ekr.pub
	tpm2_flushcontext -t
	tpm2_createek -c eke.ctx -G ecc -u eke.pub
	tpm2_createak -C eke.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub
	tpm2_flushcontext -t
	tpm2_createprimary -C o -G ecc -c srk.ctx
	tpm2_create -C srk.ctx -G ecc:ecdsa-sha256 -u plain.pub -r plain.priv \
	    -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
	tpm2_flushcontext -t
} >tools.log 2>&1
openssl genrsa 2048 2>/dev/null | openssl rsa -modulus -noout 2>/dev/null |
    sed 's/^Modulus=//' | xxd -r -p >ek12.mod
keys=ek-rsa:ekr.pub,ek-ecc:eke.pub,ak:ak.pub

# --- keys, once --------------------------------------------------------------
run a "" status init 1 node-7 k init 1 node-7 again load 1 k status
check "keys are made, and loaded again in the same process" \
    eval 'says "^init: ok" && says "^load: ok"'
check "they are not made twice" says "^init: error -13 this host already has keys; they are not replaced"
check "the status names the TPM" says "maker='IBM SW" 
openssl x509 -inform der -in k.ca.der -out ca.pem
check "openssl accepts the CA's own certificate" \
    eval 'openssl verify -x509_strict -CAfile ca.pem ca.pem >out 2>&1'
openssl x509 -in ca.pem -noout -subject -nameopt RFC2253 -text >out
check "it says what it is" \
    eval 'says "^subject=CN=vTPM manager CA \(software root\) node-7" &&
	says "CA:TRUE, pathlen:1" && says "Certificate Sign, CRL Sign"'

run a "" load 1 k certs guest1 $uuid 7 g $keys
check "another process loads the same keys" says "^load: ok"
check "it issues three certificates at once" says "^certs: ok 3"
check "by a key that the CA let issue for a day" \
    eval 'openssl verify -x509_strict -CAfile ca.pem g.issuer.der >out 2>&1'
openssl x509 -inform der -in g.issuer.der -noout -text >out
check "which says so, and signs no other CA" \
    eval 'says "issuing key of 20[0-9]{2}-" && says "CA:TRUE, pathlen:0" &&
	says "Private Key Usage Period" && ! says "CRL Sign"'
for k in ek-rsa ek-ecc ak; do
	check "openssl accepts the $k certificate" \
	    eval "openssl verify -x509_strict -CAfile ca.pem \
		-untrusted g.issuer.der g.$k.der >out 2>&1"
done
openssl x509 -inform der -in g.ak.der -noout -subject -nameopt RFC2253 \
    -text >out
check "the AK certificate says virtual, software root, which guest" \
    eval 'says "virtual TPM, software root" && says "URI:urn:uuid:$uuid" &&
	says "^subject=CN=$uuid"'
# Some versions of OpenSSL have a name for it.
check "it is an AK certificate by its OID, 2.23.133.8.3" \
    eval 'xxd -p -c 0 g.ak.der | grep -q 06056781050803'
for k in ekr:ek-rsa eke:ek-ecc ak:ak; do
	tpm2_print -t TPM2B_PUBLIC -f pem "${k%:*}.pub" >want.pem 2>/dev/null
	openssl x509 -inform der -in "g.${k#*:}.der" -noout -pubkey >got.pem
	check "the ${k#*:} certificate is for that key" cmp want.pem got.pem
done
run a "" load 1 k certs old $uuid 7 g ek12:ek12.mod
check "a TPM 1.2 EK gets its certificate" \
    eval 'says "^certs: ok 1" &&
	openssl verify -CAfile ca.pem -untrusted g.issuer.der \
	    g.ek12.der >/dev/null 2>&1'
run a "" load 1 k certs bad $uuid 7 g ak:plain.pub
check "a signing key that is not restricted gets none, with the reason" \
    says "^certs: error -21 certificate for the AK of bad: it does not have"
run a "" certs early $uuid 7 g ak:ak.pub
check "no certificate before the keys are loaded" \
    says "^certs: error -13 no host keys are loaded"

run a "" load 2 k
check "a store of a software root is not taken for hardware" \
    says "^load: error -21 this store belongs to a software root"
run b "" load 1 k
check "another TPM is refused, with the reason" \
    says "^load: error -21 the TPM at .* is not the one this store belongs to"
run b "" load 1 k init 1 node-7 k2
check "only who asks for new keys gets them" \
    eval 'says "^init: ok" && ! cmp -s k.master k2.master'
openssl x509 -inform der -in k2.ca.der -out ca2.pem
check "two hosts' CAs do not vouch for each other" \
    eval '! openssl verify -CAfile ca2.pem -untrusted g.issuer.der \
	g.ak.der >/dev/null 2>&1'

run b "" init 2 node-8 h load 2 h certs guest1 $uuid 7 gh $keys
openssl x509 -inform der -in h.ca.der -out cah.pem
openssl x509 -inform der -in gh.ak.der -noout -text >>out
check "a hardware root: certificates that say so" \
    eval 'says "^certs: ok 3" && says "virtual TPM, hardware root" &&
	openssl verify -x509_strict -CAfile cah.pem \
	    -untrusted gh.issuer.der gh.ak.der >/dev/null 2>&1'

check "and the log says that this TPM is none" \
    grep -q "is a software TPM (" err

# One bit at every tenth byte: never loaded, never new keys, always words.
bad=0
size=$(stat -c %s k.blob)
cp k.master flip.master
cp k.ca.der flip.ca.der
args=()
for ((i = 0; i < size; i += 10)); do
	args+=(sh "cp k.blob flip.blob; printf '\\x$(printf %02x \
	    $((0x$(xxd -s $i -l 1 -p k.blob) ^ 1)))' |
	    dd of=flip.blob bs=1 seek=$i conv=notrunc status=none" load 1 flip)
done
run a "" "${args[@]}" load 1 k
n=$(grep -ac '^load: error -[0-9]* .....' out)
flips=$((${#args[@]} / 5))
check "host keys with one bit changed are refused ($n of $flips)" \
    [ "$n" -eq $flips ]
check "and the right ones are loaded after that" \
    eval 'tail -1 out | grep -q "^load: ok"'
for n in 0 9 100 $((size - 1)); do
	head -c "$n" k.blob >flip.blob
	run a "" load 1 flip
	says "^load: error -22 the stored host keys are damaged" ||
	    bad=$((bad + 1))
done
check "truncated host keys are refused" [ $bad -eq 0 ]

# --- a TPM that goes and comes -----------------------------------------------
run a "" load 1 k certs guest1 $uuid 7 g1 $keys \
    sh "bash stop.sh a && bash tpm.sh a --tpm2" random 8 \
    certs guest1 $uuid 7 g2 $keys status
forget a
check "a TPM restarted under us: the same keys again" \
    eval 'says "^random: ok" && says "^certs: ok 3" &&
	openssl verify -CAfile ca.pem -untrusted g2.issuer.der \
	    g2.ak.der >/dev/null 2>&1'
check "but another issuing key: the old one went with the keys" \
    eval '! cmp -s g1.issuer.der g2.issuer.der &&
	! openssl verify -CAfile ca.pem -untrusted g1.issuer.der \
	    g2.ak.der >/dev/null 2>&1'
run a "--wait-ms 3000" load 1 k certs guest1 $uuid 7 g1 $keys \
    sh "bash stop.sh a" certs guest1 $uuid 7 g2 $keys \
    random 8 status certs guest1 $uuid 7 g3 $keys \
    sh "bash tpm.sh a --tpm2" certs guest1 $uuid 7 g4 $keys status
forget a
check "a certificate needs nothing of the TPM" \
    cmp g1.issuer.der g2.issuer.der
check "a TPM that is gone: a failure with a reason" \
    says "^random: error -18 waited 3 s: the TPM at "
check "the status says so" says "^status: ok root=1 up=0"
check "then none is issued any more" \
    says "^certs: error -18 waited 3 s: the TPM at "
check "and when it is back, so are the certificates" \
    eval '[ -s g4.ak.der ] && [ ! -e g3.ak.der ]'
t0=$SECONDS
bash stop.sh a
run a "--wait-ms 1200" load 1 k
check "no TPM at all: bounded failure ($((SECONDS - t0)) s)" \
    eval 'says "^load: error -18 waited" && [ $((SECONDS - t0)) -lt 10 ]'
bash tpm.sh a --tpm2
forget a
t0=$SECONDS
kill -STOP "$(cat a.pid)"
run a "--answer-ms 300" load 1 k
check "a TPM that neither answers nor fails: the process ends itself" \
    eval '[ $((SECONDS - t0)) -lt 30 ] && grep -q "neither answers" err'
kill -CONT "$(cat a.pid)"
run a "" load 1 k
check "and a new one continues" says "^load: ok"

# --- a day, and the next -----------------------------------------------------
cat >clock.sh <<'END'
python3 -c 'import struct, sys
sys.stdout.buffer.write(struct.pack("q", int(sys.argv[1])))' "$1" |
    dd of=clock conv=notrunc status=none # hwtpm has it mapped
END
bash clock.sh 0
timeout 100 "$hwcmd" "/usr/bin/env LD_PRELOAD=$B/tests/clock_jump.so \
CLOCK_JUMP=$dir/clock $hwtpm --tcti swtpm:path=$dir/a" load 1 k \
    certs guest1 $uuid 7 d1 $keys sh 'bash clock.sh 82900' \
    certs guest1 $uuid 7 d2 $keys \
    certs guest1 $uuid 7 d3 $keys sh 'bash clock.sh 172900' \
    certs guest1 $uuid 7 d4 $keys sh 'bash clock.sh 0' \
    certs guest1 $uuid 7 d5 $keys >out 2>err
check "an issuing key lasts for its day" cmp d1.issuer.der d2.issuer.der
check "in its last hour the next one is made" \
    eval '! cmp -s d2.issuer.der d3.issuer.der'
check "a clock that jumps a day ahead makes another one" \
    eval '! cmp -s d3.issuer.der d4.issuer.der'
check "and one that goes back another again" \
    eval '! cmp -s d4.issuer.der d5.issuer.der && openssl verify -CAfile \
	ca.pem -untrusted d5.issuer.der d5.ak.der >/dev/null 2>&1'
period() { # FILE END: of its key's use, in seconds
	date +%s -d "$(openssl x509 -inform der -in "$1" -noout -text |
	    sed -n "s/.*Not $2 *: *//p" | sed 's/, Not.*//' | tail -1)"
}
begins() { date +%s -d "$(openssl x509 -inform der -in "$1" -noout \
    -startdate | cut -d= -f2)"; }
bad=0
for i in 1 2 3 4 5; do
	[ "$(period d$i.issuer.der Before)" -le "$(begins d$i.ak.der)" ] &&
	    [ "$(period d$i.issuer.der After)" -ge "$(begins d$i.ak.der)" ] ||
	    bad=$((bad + 1))
done
check "each certificate begins in the period of its issuing key" [ $bad -eq 0 ]

# --- nothing is left behind --------------------------------------------------
for i in 1 2 3 4 5 6; do
	timeout 20 "$hwcmd" "$hwtpm --tcti swtpm:path=$dir/a" load 1 k \
	    sh 'kill -KILL $(pgrep -P $PPID -x vtpm-hwtpm)' >out 2>err
done
run a "" load 1 k random 64 random 64
check "killed six times with keys in the TPM: there is still room" \
    says "^load: ok"
check "random bytes differ" \
    eval '[ "$(grep -c "^random: ok 64" out)" = 2 ] &&
	[ "$(grep "^random" out | sort -u | wc -l)" = 2 ]'
export TPM2TOOLS_TCTI=swtpm:path=$dir/a
tpm2_getcap handles-transient >out 2>err
tpm2_getcap handles-loaded-session >>out 2>>err
check "no handle is left in the TPM after an orderly end" [ ! -s out ]

run a "" load 1 k sh 'cat /proc/$(pgrep -P $PPID -x vtpm-hwtpm)/status'
check "it has no capabilities, no way to new ones, and a filter" \
    eval 'says "^CapEff:.0000000000000000" && says "^NoNewPrivs:.1" &&
	says "^Seccomp:.2"'
start_tcp() { # TPM, with its state in a.d
	swtpm socket --tpmstate dir=a.d --tpm2 --flags not-need-init \
	    --server "type=tcp,port=$1" --ctrl "type=tcp,port=$(($1 + 1))" \
	    >>swtpm.log 2>&1 &
	pids+=($!)
	tcp=$!
}
bash stop.sh a
port=$((20000 + $$ % 20000))
start_tcp $port
sleep 0.3
timeout 60 "$hwcmd" "$hwtpm --tcti swtpm:host=127.0.0.1,port=$port" \
    load 1 k random 8 >out 2>err
check "the same TPM over TCP: the same keys" \
    eval 'says "^load: ok" && says "^random: ok"'
kill $tcp
wait $tcp 2>/dev/null
bash tpm.sh a --tpm2
forget a

# --- many at once ------------------------------------------------------------
run a "" load 1 k flood 1 200 ak.pub flood 2 1 ak.pub collect 201
at=$(grep '^collect' out | tr ' ' '\n' | grep -n '^2$' | cut -d: -f1)
check "one request of a quiet group overtakes 199 of a flooding one" \
    [ "${at:-999}" -lt 150 ]
check "all were answered" says "bad=0"
run a "" load 1 k flood 1 400 ak.pub flood 2 3 ak.pub collect 403 random 8
check "a group's flood is cut, the others are served" \
    eval 'says "^random: ok" && ! says " bad=0"'

# --- what is not a request ---------------------------------------------------
run a "" raw 0 - raw 60 - raw 99 00 raw 1 - raw 1 ff raw 2 0100 raw 3 00ff \
    raw 4 00 raw 4 00000000 raw 4 7fffffff raw 65535 00 raw 5 - load 1 k
n=$(grep -c '^raw: error -20' out)
check "eleven malformed requests are refused ($n) and change nothing" \
    eval '[ "$n" = 11 ] && tail -1 out | grep -q "^load: ok"'

# --- TPMs that cannot serve --------------------------------------------------
start_tpm old
run old "--wait-ms 3000" load 1 k
check "a TPM 1.2 is refused, with the reason" \
    says "^load: error -14 the TPM at .* is a TPM 1.2"
tpm2_changeauth -c owner secret >out 2>err
run a "" load 1 k
check "an owner with a password: it says what to do" \
    says "^load: error -15 .*owner authorisation is set"
tpm2_changeauth -c owner -p secret >out 2>err
run a "" load 1 k
check "without it: the same keys" says "^load: ok"
tpm2_clear -c l >out 2>err
run a "" load 1 k
check "a TPM that was cleared is refused, and no keys are made" \
    says "^load: error -21 the TPM at .* or its owner was cleared"
