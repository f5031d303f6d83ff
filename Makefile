# SPDX-License-Identifier: BSD-3-Clause
# Two commands do everything on a fresh Debian 12, as root:
#   make run      a commented tour on a real guest
#   make check    all tests that need no special host
# The rest is listed by `make help`.

B	?= build
CC	?= gcc
CSTD	:= -std=c11 -D_GNU_SOURCE
WARN	:= -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes \
	   -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDEN	?= -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	   -fstack-clash-protection -fcf-protection -fPIC
HLINK	?= -Wl,-z,relro,-z,now
SAN	?=
ALLCF	= $(CSTD) $(WARN) $(HARDEN) $(SAN) -I. -I$(B)/gen $(CFLAGS)
LINK	= $(CC) $(SAN) $(HLINK) $(LDFLAGS)

# The one place of the version: the code includes it, manual pages and dkms.conf
# get it when they are installed.
VERSION	:= $(shell sed -n 's/^.define VT_VERSION "\(.*\)"/\1/p' base/version.h)
versioned = sed 's/@VERSION@/$(VERSION)/g' $(1) > $(2)/$(notdir $(1)) && \
	    chmod 644 $(2)/$(notdir $(1))

# Every room of the tree, from the bottom up: a room may include and call only
# what stands before it (`make lint` proves it, on includes and on symbols).
ROOMS	:= base \
	   $(addprefix measure/,tpm cert log predict host appraise evidence library) \
	   tpmback tpmback/swtpm tpmfront tpmfront/tcti tpmfront/frontd \
	   $(addprefix vtpm/,proto state engine provision worker) \
	   $(addprefix vtpm_manager/,proto store hwtpm xenback core commit \
	   tenant host guest xen control) vtpm_manager \
	   $(addprefix tools/,common esys attest seal measure verify launch vtpmctl swtpm)
MAINS	:= $(wildcard $(addsuffix /*_main.c,$(ROOMS)))
# Xen's half is two modules: built where libxen-dev is, loaded where Xen is.
XENSRC	:= tpmback/xen_chan.c tpmfront/xen_front.c \
	   vtpm_manager/xenback/front_open.c
XENDEV	:= $(wildcard /usr/include/xengnttab.h)
SRCS	:= $(filter-out $(MAINS) $(XENSRC),\
	   $(wildcard $(addsuffix /*.c,$(ROOMS))))

# PROGRAM:SOURCE:LIBRARIES; a program is built once its source is there.
L_CRYPTO	:= -lcrypto
L_TSS		:= -ltss2-esys -ltss2-mu -ltss2-rc -ltss2-tctildr
L_TPMS		:= -ltpms
L_BUS		:= -lsystemd
L_ALL		:= -ltpms $(L_TSS) $(L_BUS) -lsqlite3 -lseccomp -ljansson \
		   -lcrypto -lpthread -ldl
PROGS	:= vtpm-zygote vtpm-managerd vtpm-hwtpm vtpmctl vtpm-attest \
	   vtpm-verify vtpm-seal vtpm-measure
M_vtpm-zygote	:= vtpm/worker/zygote_main.c
M_vtpm-managerd	:= vtpm_manager/managerd_main.c
M_vtpm-hwtpm	:= vtpm_manager/hwtpm/hwtpm_main.c
M_vtpmctl	:= tools/vtpmctl/vtpmctl_main.c
M_vtpm-attest	:= tools/attest/attest_main.c
M_vtpm-verify	:= tools/verify/verify_main.c
M_vtpm-seal	:= tools/seal/seal_main.c
M_vtpm-measure	:= tools/measure/measure_main.c
L_vtpm-zygote	:= -ltpms -lseccomp -ljansson -lcrypto -lpthread
L_vtpm-managerd	:= $(L_BUS) -lsqlite3 -lseccomp -ljansson -lcrypto
L_vtpm-hwtpm	:= $(L_TSS) -lseccomp -lcrypto
L_vtpmctl	:= $(L_BUS) -ljansson -lcrypto
L_vtpm-attest	:= $(L_TSS) -ljansson -lcrypto
L_vtpm-verify	:= -ljansson -lcrypto
L_vtpm-measure	:= -ljansson -lcrypto
L_vtpm-seal	:= $(L_TSS) -ljansson -lcrypto
M_vtpm-xenback	:= vtpm_manager/xenback/xenback_main.c
L_vtpm-xenback	:= -lxenstore -lxenevtchn -lseccomp -lcrypto
M_vtpm-xenwait	:= tools/launch/xenwait_main.c
L_vtpm-xenwait	:= -lxenlight -lxentoollog
PROGS	+= $(if $(XENDEV),vtpm-xenback vtpm-xenwait)
M_tpmfrontd	:= tpmfront/frontd/tpmfrontd_main.c
L_tpmfrontd	:= -ltss2-tctildr -lseccomp
PROGS	+= tpmfrontd
# Programs by swtpm's names, out of the way of a stock swtpm: a folder of their
# own in $(B), a package of their own.
DROPIN	:= swtpm swtpm_setup swtpm_ioctl
$(foreach p,$(DROPIN),$(eval M_swtpm-dropin/$(p) := tools/swtpm/$(p)_main.c)\
	   $(eval L_swtpm-dropin/$(p) := $(L_BUS) -ljansson -lcrypto))
PROGS	+= $(addprefix swtpm-dropin/,$(DROPIN))
# The library by which others judge evidence; VERIFYABI is the ABI's number.
VERIFYABI := 0
VERIFYLIB := $(addprefix $(B)/libvtpm-verify,.so.$(VERIFYABI) .a)
XENMOD	:= $(if $(XENDEV),$(B)/vtpm-xen.so $(B)/vtpm-xenfront.so)
HAVE	:= $(foreach p,$(PROGS),$(if $(wildcard $(M_$(p))),$(p)))
TCTI	:= $(if $(wildcard tpmfront/tcti/tcti.c),$(B)/libtss2-tcti-tpmfront.so.0)

# Archives in link order: every room before those it stands on.
FILLED	:= $(patsubst %/,%,$(sort $(dir $(SRCS))))
lib	= $(B)/lib/$(subst /,-,$(1)).a
reverse	= $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) \
	  $(firstword $(1)))
ARCH	:= $(foreach r,$(filter $(FILLED),$(call reverse,$(ROOMS))),\
	   $(call lib,$(r)))

.PHONY: all run check unit check-trixie check-full check-life check-tampering check-updates check-readme check-targets check-asan check-xen fuzz fuzz-launch bench lint clean help deps \
	tests install format formats rooms run-xen demo check-demo vtpmmgr-domain module module-only \
	deb check-packages check-consumers check-clients install-dkms install-service install-completion \
	install-dropin
all: $(addprefix $(B)/,$(HAVE)) $(TCTI) $(VERIFYLIB) $(XENMOD)

help:
	@sed -n 's/^#: //p' Makefile
#: make run          provision, boot, attest, seal, tamper: the main job
#: make unit         unit tests and fuzz corpora, a minute
#: make check        these and the integration tests
#: make check-full   every fault of the host's TPM at every command: long
#: make check-readme what README.md says to type, typed
#: make check-tampering  100 tamperings of boots, each refused and named (N=20)
#: make check-updates  1,000 simulated updates, predicted before the reboot (N=40)
#: make check-life   200 random faults of a host under 20 guests (FAULTS GUESTS SEED)
#: make check-xen    real Xen hosts with guests, emulated (SCENARIOS=pv20|all)
#: make vtpmmgr-domain  the manager's own Xen domain: $(B)/domain
#: make demo         a bootable image of that tour: $(B)/vtpm-demo.iso
#: make run-xen      a commented tour of one Xen guest
#: make module       the kernel's front half for Xen guests (KDIR=headers)
#: make install-dkms its sources and dkms.conf into DESTDIR/usr/src
#: make check-targets  every target of README's table, in a fresh clone
#: make check-asan   unit tests under AddressSanitizer and UBSan
#: make fuzz SECS=60 every fuzz target for SECS seconds (clang libFuzzer)
#: make fuzz-launch  2,000 random QEMU command lines against their launch records
#: make bench        one table, beside swtpm in the same run
#: make lint         clang-format, cppcheck, gcc -fanalyzer, rooms
#: make install      into DESTDIR/PREFIX (default /usr/local)
#: make install-dropin  swtpm, swtpm_setup, swtpm_ioctl as front ends to the manager
#: make deb          Debian packages: $(B)/deb
#: make check-packages  installed, upgraded, purged in a clean Debian
#: make check-trixie  TARGETS="unit run" in a Debian 13 made by debootstrap
#: make check-consumers  stock libvirt with our TPM, emulated
#: make check-clients  Debian's TPM programs with our TPM (ROWS="fapi clevis")
#: make format       rewrite white space by .clang-format
#: make formats      the table of messages in doc/FORMATS.md, from the code

# --- embedded data: NAME.hex or any file in a folder's embed/ --------------
EMBED	:= $(wildcard $(addsuffix /embed/*,$(ROOMS)))
EMBED_H	:= $(foreach e,$(EMBED),$(B)/gen/$(dir $(e))$(subst .,_,$(notdir \
	   $(e))).h)

# $(1): source file.  FOLDER/embed/ek.hex -> gen/FOLDER/embed/ek_hex.h with
# ek_hex[] and ek_hex_len; .hex holds hexadecimal text with # comments.
define embed_rule
$(B)/gen/$(dir $(1))$(subst .,_,$(notdir $(1))).h: $(1)
	@mkdir -p $$(@D)
ifeq ($(suffix $(1)),.hex)
	sed 's/#.*//' $$< | xxd -r -p > $$@.bin
else
	cp $$< $$@.bin
endif
	{ echo '/* made from $(1) */'; \
	  echo 'static const unsigned char \
	  $(subst -,_,$(subst .,_,$(notdir $(1))))[] = {'; \
	  xxd -i < $$@.bin; echo '};'; \
	  echo 'static const unsigned int \
	  $(subst -,_,$(subst .,_,$(notdir $(1))))_len ='; \
	  echo "	$$$$(wc -c < $$@.bin);"; } > $$@.tmp
	@rm -f $$@.bin
	@mv $$@.tmp $$@
endef
$(foreach e,$(EMBED),$(eval $(call embed_rule,$(e))))

# --- objects, archives, programs --------------------------------------------
$(B)/o/%.o: %.c | $(EMBED_H)
	@mkdir -p $(@D)
	$(CC) $(ALLCF) -MMD -MP -c -o $@ $<

define arch_rule
$(call lib,$(1)): $(patsubst %.c,$(B)/o/%.o,$(call room_srcs,$(1)))
	@rm -f $$@
	@mkdir -p $$(@D)
	ar rcs $$@ $$^
endef
room_srcs = $(filter $(wildcard $(1)/*.c),$(SRCS))
$(foreach r,$(FILLED),$(eval $(call arch_rule,$(r))))

define prog_rule
$(B)/$(1): $(B)/o/$(M_$(1):.c=.o) $$(ARCH)
	@mkdir -p $$(@D)
	$$(LINK) -pie -o $$@ $$^ $(L_$(1))
endef
$(foreach p,$(HAVE),$(eval $(call prog_rule,$(p))))

$(B)/libtss2-tcti-tpmfront.so.0: $(B)/o/tpmfront/tcti/tcti.o $(ARCH)
	$(LINK) -shared -Wl,-soname,libtss2-tcti-tpmfront.so.0 \
	    -Wl,--version-script=tpmfront/tcti/tcti.map -o $@ $^ -lcrypto
	ln -sf libtss2-tcti-tpmfront.so.0 $(B)/libtss2-tcti-tpmfront.so

$(B)/libvtpm-verify.so.$(VERIFYABI): $(B)/o/measure/library/vtpm_verify.o \
	   measure/library/vtpm_verify.map $(ARCH)
	$(LINK) -shared -Wl,-soname,$(@F) -Wl,-z,defs \
	    -Wl,--version-script=measure/library/vtpm_verify.map -o $@ \
	    $(filter-out %.map,$^) -ljansson -lcrypto
# One object, in which only the names of the version script are global.
$(B)/libvtpm-verify.a: $(B)/o/measure/library/vtpm_verify.o \
	   measure/library/vtpm_verify.map $(ARCH)
	sed -n 's/^\t\t\(vtpm_[a-z_]*\);$$/\1/p' \
	    measure/library/vtpm_verify.map > $@.names
	$(LD) -r -o $@.o $< --start-group $(filter %.a,$^) --end-group
	objcopy --keep-global-symbols=$@.names $@.o
	@rm -f $@
	ar rcs $@ $@.o
	@rm -f $@.o $@.names

$(B)/vtpm-xenback: $(B)/o/vtpm_manager/xenback/front_open.o

$(B)/vtpm-xen.so: $(B)/o/tpmback/xen_chan.o $(ARCH)
	$(LINK) -shared -Wl,--version-script=tpmback/xen.map -o $@ $^ \
	    -lxenevtchn -lcrypto

$(B)/vtpm-xenfront.so: $(B)/o/tpmfront/xen_front.o $(ARCH)
	$(LINK) -shared -Wl,--version-script=tpmfront/xenfront.map -o $@ $^ \
	    -lxengnttab -lxenevtchn -lxenstore

# --- tests ------------------------------------------------------------------
UNIT	:= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ	:= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
HELPERS	:= $(patsubst tests/integration/%.c,%,\
	   $(wildcard tests/integration/*.c))
BENCH	:= $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))
# System calls that a unit test makes fail: WRAP_test_x := open fsync
include $(wildcard tests/unit/wrap.mk)

define unit_rule
$(B)/tests/$(1): $(B)/o/tests/unit/$(1).o $$(ARCH)
	@mkdir -p $$(@D)
	$$(LINK) $$(addprefix -Wl$$(COMMA)--wrap=,$$(WRAP_$(1))) -o $$@ $$^ \
	    -lcmocka $$(L_ALL)
endef
COMMA	:= ,
$(foreach t,$(UNIT),$(eval $(call unit_rule,$(t))))

# Every fuzz target is also a test: it replays its corpus.
define fuzz_replay_rule
$(B)/tests/$(1): $(B)/o/tests/fuzz/$(1).o $(B)/o/tests/fuzz/replay.o $$(ARCH)
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ $$(L_ALL)
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_replay_rule,$(t))))

define helper_rule
$(B)/tests/$(1): $(B)/o/tests/$(2)/$(1).o $$(ARCH)
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ -lcmocka $$(L_ALL)
endef
$(foreach t,$(HELPERS),$(eval $(call helper_rule,$(t),integration)))
$(foreach t,$(BENCH),$(eval $(call helper_rule,$(t),bench)))

# A TPM as slow and unreliable as a physical one, for tests.
SLOW	:= $(B)/tests/libtss2-tcti-slow.so.0
$(SLOW): $(B)/o/tests/lab/tcti-slow.o $(call lib,base)
	@mkdir -p $(@D)
	$(LINK) -shared -o $@ $^ -ltss2-tctildr
# A wall clock that jumps, for check-life.
JUMP	:= $(B)/tests/clock_jump.so
$(JUMP): $(B)/o/tests/life/clock_jump.o
	@mkdir -p $(@D)
	$(LINK) -shared -o $@ $^ -ldl

# Programs of the lab's Xen guests.
$(B)/tests/xenwork: $(B)/o/tests/lab/xen/xenwork.o $(call lib,base)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lcrypto
$(B)/tests/xenhostile: $(B)/o/tests/lab/xen/hostile.o $(call lib,base)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lxengnttab -lxenevtchn -lxenstore -lcrypto
XENGUEST := $(addprefix $(B)/tests/,xenwork xenhostile)
# Of its dom0: workers that a guest took over, and who hands them the devices.
$(B)/tests/attack-xen-zygote: $(B)/o/vtpm/worker/zygote_main.o \
	   $(B)/skip/tests/attacks/xen_worker.o $(B)/skip/tests/attacks/skip.o \
	   $(ARCH)
	@mkdir -p $(@D)
	$(LINK) -pie -Wl,--wrap=wk_page,--wrap=jail_prepare -o $@ $^ \
	    $(L_vtpm-zygote)
$(B)/tests/attack-xenback: $(B)/o/vtpm_manager/xenback/xenback_main.o \
	   $(B)/o/vtpm_manager/xenback/front_open.o \
	   $(B)/skip/tests/attacks/xen_open.o $(B)/skip/tests/attacks/skip.o \
	   $(ARCH)
	@mkdir -p $(@D)
	$(LINK) -pie -Wl,--wrap=xenevtchn_restrict -o $@ $^ $(L_vtpm-xenback)
XENDOM0 := $(addprefix $(B)/tests/,attack-xen-zygote attack-xenback)

# The attack suite's own verifier: checks can be taken out by name, to see that
# it is they that stop the attacks.
SKIPSRC	:= $(filter measure/% tools/common/% tools/verify/%,$(SRCS)) \
	   tools/verify/verify_main.c tests/attacks/skip.c
SKIPVER	:= $(B)/tests/attack-verify
$(B)/skip/%.o: %.c | $(EMBED_H)
	@mkdir -p $(@D)
	$(CC) $(ALLCF) -DVTPM_TEST_SKIP_CHECKS -MMD -MP -c -o $@ $<
$(SKIPVER): $(SKIPSRC:%.c=$(B)/skip/%.o) $(call lib,base)
	@mkdir -p $(@D)
	$(LINK) -pie -o $@ $^ $(L_vtpm-verify)

# And its own manager, for attacks on the store.
SKIPMGR	:= $(B)/tests/attack-managerd
$(B)/skip/libvtpm_manager.a: $(patsubst %.c,$(B)/skip/%.o,\
	   $(filter vtpm_manager/%,$(SRCS)))
	@rm -f $@
	ar qcs $@ $^
$(SKIPMGR): $(B)/skip/vtpm_manager/managerd_main.o \
	   $(B)/skip/tests/attacks/skip.o $(B)/skip/libvtpm_manager.a \
	   $(filter-out $(B)/lib/tools-% $(B)/lib/vtpm_manager%,$(ARCH))
	@mkdir -p $(@D)
	$(LINK) -pie -o $@ $^ $(L_vtpm-managerd)

# And its own workers, for attacks on who may attach.
SKIPZYG	:= $(B)/tests/attack-zygote
SKIPWRK	:= $(filter vtpm/% tpmback/%,$(SRCS)) vtpm/worker/zygote_main.c \
	   tests/attacks/skip.c
$(SKIPZYG): $(SKIPWRK:%.c=$(B)/skip/%.o) \
	   $(filter-out $(B)/lib/tools-% $(B)/lib/vtpm% $(B)/lib/tpm%,$(ARCH))
	@mkdir -p $(@D)
	$(LINK) -pie -o $@ $^ $(L_vtpm-zygote)

# Workers that were taken over and lie in their deep quotes.
LIEZYG	:= $(B)/tests/hostile-zygote
$(LIEZYG): $(B)/o/vtpm/worker/zygote_main.o $(B)/o/tests/attacks/lies.o \
	   $(filter-out $(B)/lib/tools-%,$(ARCH))
	@mkdir -p $(@D)
	$(LINK) -pie -Wl,--wrap=wk_send -o $@ $^ $(L_vtpm-zygote)

# And its own vtpmctl, for attacks on measured launches.
SKIPCTL	:= $(B)/tests/attack-vtpmctl
SKIPLCH	:= $(filter tools/launch/% tools/vtpmctl/%,$(SRCS)) \
	   tools/vtpmctl/vtpmctl_main.c tests/attacks/skip.c
$(SKIPCTL): $(SKIPLCH:%.c=$(B)/skip/%.o) $(filter-out \
	   $(B)/lib/tools-launch.a $(B)/lib/tools-vtpmctl.a,$(ARCH))
	@mkdir -p $(@D)
	$(LINK) -pie -o $@ $^ $(L_vtpmctl)

tests: $(addprefix $(B)/tests/,$(UNIT) $(FUZZ) $(HELPERS)) $(SLOW) $(SKIPVER) $(SKIPZYG) $(LIEZYG) \
	   $(SKIPMGR) $(SKIPCTL) $(JUMP)

deps:
	@base/deps.sh build
deps-%:
	@base/deps.sh $*

check: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all tests
	@B=$(B) tests/run.sh

unit: deps-build deps-check
	@$(MAKE) --no-print-directory -j$$(nproc) all tests
	@B=$(B) tests/run.sh --unit

check-readme: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all $(B)/tests/guestctl
	@B=$(B) tests/readme.sh

check-tampering: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all \
	    $(addprefix $(B)/tests/,guestctl)
	@B=$(B) tests/boot/tampering.sh $(or $(N),1000)
	@[ -n "$(N)" ] || B=$(B) tests/boot/booted.sh

check-updates: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@B=$(B) tests/boot/updates.sh $(or $(N),1000)

# FAULTS=200 GUESTS=20 SEED=N
check-life: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all \
	    $(addprefix $(B)/tests/,law3guest) $(JUMP)
	@B=$(B) tests/life/random_faults.sh

check-full: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all tests
	@B=$(B) tests/run.sh --full

run: deps-build deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all $(B)/tests/guestctl
	@B=$(B) tests/lab/run.sh

check-asan: deps-build deps-check deps-lint
	@$(MAKE) --no-print-directory -j$$(nproc) B=$(B)/asan \
	    SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" \
	    HARDEN="-O1 -g -fno-omit-frame-pointer -fPIC" tests
	@B=$(B)/asan tests/run.sh --unit

fuzz: deps-build deps-lint
	@$(MAKE) --no-print-directory -j$$(nproc) B=$(B)/fuzz CC=clang \
	    SAN="-fsanitize=fuzzer-no-link,address,undefined" \
	    HARDEN="-O1 -g -fno-omit-frame-pointer -fPIC" fuzz-bins
	@B=$(B)/fuzz tests/fuzz/fuzz.sh $(or $(SECS),60)
fuzz-bins: $(addprefix $(B)/fuzzers/,$(FUZZ))
$(B)/fuzzers/%: $(B)/o/tests/fuzz/%.o $(ARCH)
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(L_ALL)

fuzz-launch: all
	LAUNCH_LINES=$(or $(LINES),2000) LAUNCH_SEED=$(or $(SEED),1) \
	    tests/integration/launch_roms.sh

bench: deps-build deps-check deps-run
	@$(MAKE) --no-print-directory -j$$(nproc) all \
	    $(addprefix $(B)/tests/,$(BENCH) $(HELPERS)) $(SLOW)
	@B=$(B) tests/bench/bench.sh

# Every target of README's table in a fresh clone, but those that run ELSEWHERE.
check-targets: deps-build deps-check deps-run deps-lint
	@tests/targets.sh check-targets $(ELSEWHERE)

check-xen: deps-build deps-check deps-run deps-xen
	@$(MAKE) --no-print-directory -j$$(nproc) all $(XENGUEST) $(XENDOM0)
	@B=$(B) tests/lab/xen/check.sh $(SCENARIOS)

run-xen: deps-build deps-check deps-run deps-xen
	@$(MAKE) --no-print-directory -j$$(nproc) all $(XENGUEST) $(XENDOM0)
	@B=$(B) tests/lab/xen/run.sh

# The demo image; check-demo boots it.
ISO	?= $(B)/vtpm-demo.iso
demo check-demo: deps-build deps-check deps-run deps-xen deps-demo
	@$(MAKE) --no-print-directory -j$$(nproc) all $(XENGUEST) $(XENDOM0)
	@B=$(B) HOSTS="$(HOSTS)" tests/lab/demo/demo.sh $(if $(filter check-demo,$@),--check) $(ISO)

vtpmmgr-domain: deps-build deps-run deps-xen
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@B=$(B) tools/domain/build.sh $(B)/domain

# The kernel module is built in a copy, so that the tree stays clean.
KDIR	?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	   $(lastword $(sort $(wildcard /usr/src/linux-headers-*-$(shell \
	   dpkg --print-architecture 2>/dev/null)))))
MODDIR	?= $(abspath $(B))/module
MODSRC	:= tpmfront/linux
module: deps-build deps-module
	@$(MAKE) --no-print-directory module-only
module-only:
	@[ -n "$(KDIR)" ] || { echo "no kernel headers: KDIR=..." >&2; exit 1; }
	@mkdir -p $(MODDIR)
	cp -u $(MODSRC)/*.[ch] $(MODSRC)/Kbuild $(MODDIR)/
	$(MAKE) -C $(KDIR) M=$(MODDIR) W=1 $(MODFLAGS) modules
DKMSDIR	= $(DESTDIR)/usr/src/vtpm-tpmfront-$(VERSION)
install-dkms:
	install -D -m 644 -t $(DKMSDIR) \
	    $(addprefix $(MODSRC)/,*.[ch] Kbuild Makefile)
	$(call versioned,$(MODSRC)/dkms.conf,$(DKMSDIR))
	install -D -m 644 -t $(DESTDIR)/etc/modprobe.d \
	    $(MODSRC)/vtpm-tpmfront.conf

lint: deps-build deps-check deps-lint deps-module
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@B=$(B) ROOMS="$(ROOMS)" tests/lint/lint.sh
# The order of the rooms alone, in a second.
rooms: all
	@tests/lint/rooms.py $(B) $(ROOMS)
	@tests/lint/libraries.sh

format:
	@clang-format --dry-run --Werror tests/lint/layout.h || { \
	    echo "make format needs clang-format 14, as in Debian 12" >&2; \
	    exit 1; }
	clang-format -i $$(git ls-files '*.c' '*.h')

formats: $(B)/tests/test_messages
	$< --tables > $(B)/messages.md
	sed -i -e '/^<!-- messages: begin/,/^<!-- messages: end/{//!d}' \
	    -e '/^<!-- messages: begin/r $(B)/messages.md' doc/FORMATS.md

# The packages come from HEAD, as a release does.
deb: deps-build deps-check deps-package
	@B=$(B) tests/packages/build.sh
check-packages: deps-build deps-check deps-package
	@B=$(B) tests/packages/check.sh
# The same tree on the other release of Debian.
check-trixie: deps-release
	@B=$(B) tests/packages/release.sh trixie $(TARGETS)

check-consumers: deps-build deps-check deps-consumer
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@B=$(B) tests/consumers/libvirt.sh
	@B=$(B) tests/consumers/libvirt_emulator.sh

check-clients: deps-build deps-check deps-client
	@$(MAKE) --no-print-directory -j$$(nproc) all $(B)/tests/ringcmd
	@B=$(B) tests/clients/check.sh $(ROWS)

# --- install ----------------------------------------------------------------
PREFIX	?= /usr/local
# The manager finds its helpers beside itself: all in bin, or all here.
LIBEXECDIR ?= $(PREFIX)/bin
MANAGER	:= vtpm-managerd vtpm-zygote vtpm-hwtpm vtpm-xenback
# What a guest needs beside tpmfrontd; initramfs-tools looks in one place.
UNITDIR	?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc
IRTDIR	?= /usr/share/initramfs-tools
GUESTFILES := tpmfrontd.service:$(UNITDIR)/tpmfrontd.service:644 \
	   initramfs-hook:$(IRTDIR)/hooks/tpmfrontd:755 \
	   initramfs-script:$(IRTDIR)/scripts/init-top/tpmfrontd:755
# Volumes that vtpm-seal opens; cryptsetup and kernels look in one place.
LUKSDIR	?= /usr/lib/cryptsetup/scripts
LUKSFILES := vtpm-luks:$(PREFIX)/sbin/vtpm-luks \
	   keyscript.in:$(LUKSDIR)/vtpm-seal \
	   initramfs-hook.in:$(IRTDIR)/hooks/vtpm-seal \
	   kernel-hook:$(SYSCONFDIR)/kernel/postinst.d/zzz-vtpm-seal \
	   kernel-hook:$(SYSCONFDIR)/initramfs/post-update.d/zzz-vtpm-seal
# The manager as a service; D-Bus reads no folder below /usr/local.
SERVICE	:= vtpm_manager/service
UNITS	:= $(patsubst $(SERVICE)/%.in,%,$(wildcard $(SERVICE)/*.service.in))
DBUSDIR	?= /usr/share/dbus-1/system.d
COMPLETED := vtpmctl vtpm-managerd vtpm-verify vtpm-attest vtpm-seal \
	   vtpm-measure tpmfrontd
BASHDIR	?= $(PREFIX)/share/bash-completion/completions
ZSHDIR	?= $(PREFIX)/share/zsh/site-functions
MANDIR	?= $(PREFIX)/share/man
LIBDIR	?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch)
install: all install-service install-completion
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)
	install -m 755 $(addprefix $(B)/,$(filter-out $(MANAGER) \
	    swtpm-dropin/%,$(HAVE))) \
	    $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(LIBEXECDIR)
	install -m 755 $(addprefix $(B)/,$(filter $(MANAGER),$(HAVE))) \
	    $(DESTDIR)$(LIBEXECDIR)
	[ $(LIBEXECDIR) = $(PREFIX)/bin ] || ln -sfr \
	    $(DESTDIR)$(LIBEXECDIR)/vtpm-managerd $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(TCTI) $(DESTDIR)$(LIBDIR)
	install -m 644 $(VERIFYLIB) $(DESTDIR)$(LIBDIR)
	ln -sf libvtpm-verify.so.$(VERIFYABI) \
	    $(DESTDIR)$(LIBDIR)/libvtpm-verify.so
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/vtpm-verify \
	    measure/library/vtpm_verify.h
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' measure/library/vtpm-verify.pc.in \
	    > $(DESTDIR)$(LIBDIR)/pkgconfig/vtpm-verify.pc
	$(if $(XENDEV),install -m 644 $(B)/vtpm-xen.so $(DESTDIR)$(LIBEXECDIR))
	$(foreach f,$(GUESTFILES),install -D -m $(word 3,$(subst :, ,$(f))) \
	    tpmfront/guest/$(word 1,$(subst :, ,$(f))).in \
	    $(DESTDIR)$(word 2,$(subst :, ,$(f))) && \
	    sed -i 's|@BIN@|$(PREFIX)/bin|g; s|@LIB@|$(LIBDIR)|g' \
	    $(DESTDIR)$(word 2,$(subst :, ,$(f))) &&) true
	$(foreach f,$(LUKSFILES),install -D -m 755 \
	    tools/luks/$(word 1,$(subst :, ,$(f))) \
	    $(DESTDIR)$(word 2,$(subst :, ,$(f))) && \
	    sed -i -e 's|@BIN@|$(PREFIX)/bin|g; s|@SBIN@|$(PREFIX)/sbin|g' \
	    -e 's|@SCRIPTS@|$(LUKSDIR)|g; s|@ASKPASS@|/lib/cryptsetup/askpass|g' \
	    $(DESTDIR)$(word 2,$(subst :, ,$(f))) &&) true
	[ -e $(DESTDIR)$(SYSCONFDIR)/vtpm/seal.conf ] || \
	    install -D -m 600 -t $(DESTDIR)$(SYSCONFDIR)/vtpm \
	    tools/luks/seal.conf
	$(if $(XENDEV),install -D -m 644 -t $(DESTDIR)$(LIBDIR)/vtpm \
	    $(B)/vtpm-xenfront.so)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/share/vtpm/hooks tools/hooks/*
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/vtpm/grafana \
	    tools/grafana/vtpm.json
	install -d $(foreach s,1 3 5 7 8,$(DESTDIR)$(MANDIR)/man$(s))
	$(foreach m,$(wildcard doc/man/*.[13578]),$(call \
	    versioned,$(m),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))) \
	    &&) true

# By swtpm's names: on purpose not part of install.
install-dropin: $(addprefix $(B)/swtpm-dropin/,$(DROPIN))
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $^

# Settings that are there stay: they are the operator's.
install-service:
	install -d $(DESTDIR)$(UNITDIR)
	$(foreach u,$(UNITS),sed -e '/@SANDBOX@/{r $(SERVICE)/sandbox' -e 'd}' \
	    -e 's|@BIN@|$(PREFIX)/bin|' $(SERVICE)/$(u).in \
	    > $(DESTDIR)$(UNITDIR)/$(u) && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$(u) &&) true
	install -m 644 -t $(DESTDIR)$(UNITDIR) $(SERVICE)/vtpm.slice \
	    $(SERVICE)/vtpm-metrics-tcp.socket
	install -D -m 644 $(SERVICE)/sysusers.conf \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/vtpm.conf
	install -D -m 644 $(SERVICE)/tmpfiles.conf \
	    $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/vtpm.conf
	install -D -m 644 -t $(DESTDIR)$(DBUSDIR) \
	    $(SERVICE)/org.vtpm.Manager1.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/vtpm/vtpm-managerd.conf ] || \
	    install -D -m 644 -t $(DESTDIR)$(SYSCONFDIR)/vtpm \
	    $(SERVICE)/vtpm-managerd.conf
	$(if $(XENMOD),install -D -m 644 $(SERVICE)/xen.conf \
	    $(DESTDIR)$(UNITDIR)/vtpm-managerd.service.d/xen.conf)

# Each program's package has its own copy.
install-completion:
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR)
	$(foreach p,$(COMPLETED),install -m 644 tools/completion/vtpm.bash \
	    $(DESTDIR)$(BASHDIR)/$(p) && \
	    sed '1s/.*/#compdef $(p)/' tools/completion/_vtpm \
	    > $(DESTDIR)$(ZSHDIR)/_$(p) &&) true

clean:
	rm -rf $(B)

-include $(shell find $(B)/o $(B)/skip -name '*.d' 2>/dev/null)
