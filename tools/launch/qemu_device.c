/* SPDX-License-Identifier: BSD-3-Clause */
/* qemu_device.c - devices, their ROMs, and what QEMU loads by itself. */
#include "tools/launch/qemu_device.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "tools/launch/qemu_opts.h"

/*
 * Devices that load nothing but the ROM named here, by QEMU 7.2 (seen by
 * tests/integration/launch_roms.sh).  rom NULL: none.  isa: the ROM is not a
 * PCI device's, and romfile= does not name it.
 */
/* clang-format off */
static const struct device {
	const char *name, *rom;
	bool isa, display;
} devices[] = {
	{ "e1000",		"efi-e1000.rom",	false, false },
	{ "e1000-82544gc",	"efi-e1000.rom",	false, false },
	{ "e1000-82545em",	"efi-e1000.rom",	false, false },
	{ "e1000e",		"efi-e1000e.rom",	false, false },
	{ "i82550",		"pxe-eepro100.rom",	false, false },
	{ "i82551",		"pxe-eepro100.rom",	false, false },
	{ "i82557a",		"pxe-eepro100.rom",	false, false },
	{ "i82557b",		"pxe-eepro100.rom",	false, false },
	{ "i82557c",		"pxe-eepro100.rom",	false, false },
	{ "i82558a",		"pxe-eepro100.rom",	false, false },
	{ "i82558b",		"pxe-eepro100.rom",	false, false },
	{ "i82559a",		"pxe-eepro100.rom",	false, false },
	{ "i82559b",		"pxe-eepro100.rom",	false, false },
	{ "i82559c",		"pxe-eepro100.rom",	false, false },
	{ "i82559er",		"pxe-eepro100.rom",	false, false },
	{ "i82562",		"pxe-eepro100.rom",	false, false },
	{ "i82801",		"pxe-eepro100.rom",	false, false },
	{ "ne2k_pci",		"efi-ne2k_pci.rom",	false, false },
	{ "pcnet",		"efi-pcnet.rom",	false, false },
	{ "rtl8139",		"efi-rtl8139.rom",	false, false },
	{ "virtio-net-pci",	"efi-virtio.rom",	false, false },
	{ "virtio-net-pci-non-transitional", "efi-virtio.rom", false, false },
	{ "virtio-net-pci-transitional", "efi-virtio.rom", false, false },
	{ "vmxnet3",		"efi-vmxnet3.rom",	false, false },
	{ "ati-vga",		"vgabios-ati.bin",	false, true },
	{ "bochs-display",	"vgabios-bochs-display.bin", false, false },
	{ "cirrus-vga",		"vgabios-cirrus.bin",	false, true },
	{ "qxl-vga",		"vgabios-qxl.bin",	false, true },
	{ "VGA",		"vgabios-stdvga.bin",	false, true },
	{ "virtio-vga",		"vgabios-virtio.bin",	false, true },
	{ "virtio-vga-gl",	"vgabios-virtio.bin",	false, true },
	{ "vmware-svga",	"vgabios-vmware.bin",	false, true },
	{ "isa-cirrus-vga",	"vgabios-cirrus.bin",	true, true },
	{ "isa-vga",		"vgabios.bin",		true, true },
	{ "ramfb",		"vgabios-ramfb.bin",	true, false },
	{ "sga",		"sgabios.bin",		true, false },
};

static const char *const no_rom[] = { "AC97", "ES1370", "ICH9-LPC",
	"PIIX4_PM", "adlib", "ahci", "am53c974", "amd-iommu", 
	"dc390", "ds1338", "edu", "ehci-pci", "fdc", "floppy", "hda-duplex",
	"hda-micro", "hda-output", "i6300esb", "i8042", "ib700", "ich9-ahci",
	"ich9-intel-hda", "ich9-usb-ehci1", "ich9-usb-ehci2", "ich9-usb-uhci1",
	"ich9-usb-uhci2", "ich9-usb-uhci3", "ich9-usb-uhci4", "ich9-usb-uhci5",
	"ich9-usb-uhci6", "ide-cd", "ide-hd", "intel-hda", "intel-iommu",
	"ioh3420", "isa-debug-exit", "isa-debugcon", "isa-fdc", "isa-parallel",
	"isa-serial", "kvm-pit", "lsi53c810", "lsi53c895a", "mc146818rtc",
	"megasas", "megasas-gen2", "mptsas1068", "nec-usb-xhci", "nvme", "nvme-ns",
	"nvme-subsys", "pc-dimm", "pc-testdev", "pci-bridge", "pci-ohci",
	"pci-serial", "pci-serial-2x", "pci-serial-4x", "pcie-pci-bridge",
	"pcie-root-port", "piix3-ide", "piix3-usb-uhci", "piix4-ide",
	"piix4-usb-uhci", "pvpanic", "pvpanic-pci", "pvscsi", "pxb", "pxb-pcie",
	"q35-pcihost", "qemu-xhci", "qxl", "sb16", "scsi-block", "scsi-cd",
	"scsi-generic", "scsi-hd", "sdhci-pci", "sd-card", "secondary-vga",
	"usb-audio", "usb-bot", "usb-braille", "usb-ccid", "usb-ehci", "usb-hub",
	"usb-kbd", "usb-mouse", "usb-net", "usb-redir", "usb-serial",
	"usb-storage", "usb-tablet", "usb-uas", "usb-wacom-tablet", "vfio-pci",
	"vhost-scsi-pci", "vhost-user-blk-pci", "vhost-user-fs-pci",
	"vhost-user-scsi-pci", "vhost-vsock-pci", "virtconsole", "virtio-9p-pci",
	"virtio-balloon-device", "virtio-balloon-pci",
	"virtio-balloon-pci-non-transitional", "virtio-balloon-pci-transitional",
	"virtio-blk-device", "virtio-blk-pci", "virtio-blk-pci-non-transitional",
	"virtio-blk-pci-transitional", "virtio-crypto-pci", "virtio-gpu-pci",
	"virtio-input-host-pci", "virtio-iommu-pci", "virtio-keyboard-pci",
	"virtio-mem-pci", "virtio-mmio", "virtio-mouse-pci", "virtio-net-device",
	"virtio-rng-device", "virtio-rng-pci", "virtio-rng-pci-non-transitional",
	"virtio-rng-pci-transitional", "virtio-scsi-pci",
	"virtio-scsi-pci-non-transitional", "virtio-scsi-pci-transitional",
	"virtio-serial-device", "virtio-serial-pci",
	"virtio-serial-pci-non-transitional", "virtio-serial-pci-transitional",
	"virtio-tablet-pci", "virtserialport", "vmcoreinfo", "vmgenid",
	"vmmouse", "x3130-upstream", "xio3130-downstream" };
/* clang-format on */

static const struct device *
device_of(const char *name)
{
	size_t i;

	for (i = 0; i < VT_NELEM(devices); i++)
		if (strcmp(devices[i].name, name) == 0)
			return &devices[i];
	return NULL;
}

static bool
is_known(const struct lq_ctx *c, const char *name)
{
	size_t i;

	for (i = 0; i < VT_NELEM(no_rom); i++)
		if (strcmp(no_rom[i], name) == 0)
			return true;
	return device_of(name) != NULL || lq_site_has(c, "device", name);
}

/* --- ROMs ----------------------------------------------------------------- */

static int
add_rom(struct lq_ctx *c, const char *name, const char *driver)
{
	struct lq_rom *r = c->p->roms;
	unsigned int i;

	for (i = 0; i < c->p->nroms; i++)
		if (strcmp(r[i].name, name) == 0 &&
		    (driver == NULL) == (r[i].driver == NULL) &&
		    (driver == NULL || strcmp(r[i].driver, driver) == 0))
			return VT_OK;
	if (i == LQ_ROMS_MAX) {
		LQ_SAY(
		    c, "more than %d kinds of devices with a ROM", LQ_ROMS_MAX);
		return VT_E_RANGE;
	}
	r[c->p->nroms++] = (struct lq_rom){ .name = name, .driver = driver };
	return VT_OK;
}

static int
rom_of(struct lq_ctx *c, const char *driver)
{
	const struct device *d = device_of(driver);

	if (d == NULL)
		return VT_OK;
	c->display |= d->display;
	return d->rom != NULL ? add_rom(c, d->rom, d->isa ? NULL : d->name)
			      : VT_OK;
}

/* -nic and -net nic: the model, or the machine's card. */
int
lq_on_nic(struct lq_ctx *c, int arg)
{
	static const char *const words[][2] = { { "virtio", "virtio-net-pci" },
		{ "virtio-net", "virtio-net-pci" } };
	const char *o = c->argv[arg - 1];
	char type[32] = "", model[64] = "";
	size_t i;

	c->net = true;
	if (strstr(o, "netdev") != NULL)
		return VT_OK;
	(void)lq_get(c, arg, "type", type, sizeof(type));
	if (strcmp(type, "none") == 0)
		return VT_OK;
	if (!lq_get(c, arg, "model", model, sizeof(model))) {
		/* -net of other types joins two networks */
		c->card |= strcmp(o + strspn(o, "-"), "nic") == 0 ||
			   strcmp(type, "nic") == 0;
		return VT_OK;
	}
	for (i = 0; i < VT_NELEM(words); i++)
		if (strcmp(model, words[i][0]) == 0)
			return rom_of(c, words[i][1]);
	return rom_of(c, model);
}

int
lq_on_vga(struct lq_ctx *c, int arg)
{
	static const char *const may[] = { "std", "cirrus", "vmware", "qxl",
		"virtio", "none" };
	size_t i;

	c->display = true;
	c->vga = c->argv[arg];
	for (i = 0; i < VT_NELEM(may); i++)
		if (strcmp(c->vga, may[i]) == 0)
			return VT_OK;
	return lq_refuse(c, arg, "std, cirrus, vmware, qxl, virtio or none");
}

static bool
machine_has(const struct lq_ctx *c, const char *word)
{
	return strstr(c->p->machine, word) != NULL;
}

/* Is the machine a version of old, as pc-i440fx-2.4? */
static bool
is_before(const struct lq_ctx *c, unsigned int major, unsigned int minor)
{
	unsigned int x, y;
	const char *dash = strrchr(c->p->machine, '-');

	return dash != NULL && sscanf(dash, "-%u.%u", &x, &y) == 2 &&
	       (x < major || (x == major && y < minor));
}

static const char *
default_card(const struct lq_ctx *c)
{
	return machine_has(c, "q35") && !is_before(c, 2, 12) ? "e1000e"
							     : "e1000";
}

/* The display of -vga, for this machine's bus. */
static int
vga_rom(struct lq_ctx *c)
{
	static const char *const cards[][3] = { { "std", "VGA", "isa-vga" },
		{ "cirrus", "cirrus-vga", "isa-cirrus-vga" },
		{ "vmware", "vmware-svga", "" }, { "qxl", "qxl-vga", "" },
		{ "virtio", "virtio-vga", "" } };
	size_t i, bus = machine_has(c, "isapc") ? 2 : 1;

	for (i = 0; c->vga != NULL && i < VT_NELEM(cards); i++)
		if (strcmp(c->vga, cards[i][0]) == 0)
			return rom_of(c, cards[i][bus]);
	return VT_OK;
}

/* The devices of the machine that no option names. */
static int
default_devices(struct lq_ctx *c)
{
	int rc = vga_rom(c);

	if (rc == VT_OK && c->card && !machine_has(c, "isapc"))
		rc = rom_of(c, default_card(c));
	if (rc != VT_OK || c->nodefaults || machine_has(c, "microvm") ||
	    strcmp(c->p->machine, "none") == 0)
		return rc;
	if (!c->display)
		rc = rom_of(c, machine_has(c, "isapc") ? "isa-cirrus-vga"
			       : is_before(c, 2, 2)    ? "cirrus-vga"
						       : "VGA");
	if (rc == VT_OK && !c->net && !machine_has(c, "isapc"))
		rc = rom_of(c, default_card(c));
	return rc;
}

/* How QEMU starts a kernel: by a ROM, which depends on the kernel. */
static int
kernel_roms(struct lq_ctx *c)
{
	static const char *const dma[] = { "linuxboot_dma.bin",
		"multiboot_dma.bin", "pvh.bin" };
	static const char *const old[] = { "linuxboot.bin", "multiboot.bin",
		"pvh.bin" };
	unsigned int i;
	int rc = VT_OK;

	for (i = 0; i < VT_NELEM(dma) && rc == VT_OK; i++)
		rc = add_rom(c, is_before(c, 2, 6) ? old[i] : dma[i], NULL);
	return rc;
}

int
lq_find_roms(struct lq_ctx *c)
{
	const char *m = c->p->machine;
	bool small =
	    machine_has(c, "isapc") || strncmp(m, "pc-i440fx-1.", 12) == 0;
	unsigned int i;
	int rc;

	if (strcmp(m, "none") != 0 && !c->firmware)
		c->p->bios = machine_has(c, "microvm") ? "bios-microvm.bin"
			     : small                   ? "bios.bin"
						       : "bios-256k.bin";
	rc = default_devices(c);
	if (rc == VT_OK && !machine_has(c, "microvm"))
		rc = add_rom(c, "kvmvapic.bin", NULL);
	for (i = 0; i < c->p->nfiles && rc == VT_OK; i++)
		if (c->p->files[i].role == LR_KERNEL)
			rc = kernel_roms(c);
	return rc;
}

/* --- options -------------------------------------------------------------- */

static int
refuse_kind(struct lq_ctx *c, int arg, const char *kind, const char *name)
{
	LQ_SAY(c,
	    "%s %.100s: %s %.100s is unknown here, and may load what is not "
	    "measured. A line '%s %.100s' in %s allows it",
	    c->argv[arg - 1], c->argv[arg], kind, name, kind, name,
	    LQ_SITE_FILE);
	return VT_E_UNSUPPORTED;
}

/* Puts a file into memory. */
static int
on_loader(struct lq_ctx *c, int arg)
{
	if (lq_has(c, arg, "romfile"))
		return lq_refuse(c, arg, "it has no ROM");
	return lq_has(c, arg, "file")
		   ? lq_add_file(c, LR_OTHER, arg, "file")
		   : lq_refuse(c, arg, "data= cannot be measured; use file=");
}

/* An empty romfile= is none. */
static int
on_rom(struct lq_ctx *c, int arg, const char *driver)
{
	char s[8];
	int rc;

	if (!lq_has(c, arg, "romfile"))
		return rom_of(c, driver);
	c->display |= device_of(driver) != NULL && device_of(driver)->display;
	if (lq_get(c, arg, "romfile", s, sizeof(s)) && s[0] == '\0')
		return VT_OK;
	if ((rc = lq_add_file(c, LR_OTHER, arg, "romfile")) == VT_OK)
		c->p->files[c->p->nfiles - 1].search = true;
	return rc;
}

int
lq_on_device(struct lq_ctx *c, int arg)
{
	char driver[64];

	if (!lq_get(c, arg, "driver", driver, sizeof(driver)))
		return lq_refuse(c, arg, "it has no driver");
	if (strncmp(driver, "tpm-", 4) == 0) {
		LQ_SAY(c,
		    "'-device %.100s' is there already; leave the TPM to "
		    "vtpmctl",
		    c->argv[arg]);
		return VT_E_EXISTS;
	}
	if (strcmp(driver, "guest-loader") == 0)
		return lq_refuse(c, arg, "what it loads cannot be measured");
	if (strcmp(driver, "loader") == 0)
		return on_loader(c, arg);
	if (!is_known(c, driver) && check_on("launch-device"))
		return refuse_kind(c, arg, "device", driver);
	return on_rom(c, arg, driver);
}

/* DRIVER.PROPERTY=VALUE, or driver=,property=,value=. */
static bool
global_of(struct lq_ctx *c, int arg, char driver[64], char prop[64],
    char *value, size_t cap)
{
	const char *v = c->argv[arg], *dot = strchr(v, '.');
	size_t eq = strcspn(v, "=");

	if (dot != NULL && (size_t)(dot - v) < eq) {
		if (v[eq] != '=')
			return false;
		return snprintf(driver, 64, "%.*s", (int)(dot - v), v) < 64 &&
		       snprintf(prop, 64, "%.*s", (int)(v + eq - dot - 1),
			   dot + 1) < 64 &&
		       (size_t)snprintf(value, cap, "%s", v + eq + 1) < cap;
	}
	return !qo_twice(v, NULL, NULL) &&
	       lq_get(c, arg, "driver", driver, 64) &&
	       lq_get(c, arg, "property", prop, 64) &&
	       lq_get(c, arg, "value", value, cap);
}

/* A property of every device of a kind, but none that names a file. */
int
lq_on_global(struct lq_ctx *c, int arg)
{
	static const char *const files[] = { "romfile", "file", "data",
		"kernel", "initrd", "bootargs", "drive", "filename" };
	char driver[64], prop[64], name[130], value[4096];
	size_t i;

	if (!global_of(c, arg, driver, prop, value, sizeof(value)))
		return lq_refuse(c, arg, "write it as DRIVER.PROPERTY=VALUE");
	for (i = 0; i < VT_NELEM(files); i++)
		if (strcmp(prop, files[i]) == 0 && value[0] != '\0' &&
		    check_on("launch-global"))
			return lq_refuse(c, arg, "this cannot be measured");
	(void)snprintf(name, sizeof(name), "%s.%s", driver, prop);
	if (is_known(c, driver) || lq_site_has(c, "global", name) ||
	    strcmp(name, "cfi.pflash01.secure") == 0 ||
	    !check_on("launch-global"))
		return VT_OK;
	return refuse_kind(c, arg, "global", name);
}

/* Memory without content, and what a guest needs beside it. */
int
lq_on_object(struct lq_ctx *c, int arg)
{
	static const char *const may[] = { "memory-backend-ram",
		"memory-backend-memfd", "rng-random", "rng-builtin", "rng-egd",
		"iothread", "secret", "secret_keyring", "throttle-group",
		"tls-creds-x509", "tls-creds-psk", "tls-creds-anon",
		"authz-list", "authz-list-file", "authz-pam", "authz-simple",
		"can-bus", "cryptodev-backend-builtin", "filter-buffer",
		"filter-dump", "filter-mirror", "filter-redirector",
		"input-barrier", "input-linux", "pr-manager-helper",
		"thread-context" };
	char type[64];
	size_t i;

	if (!lq_get(c, arg, "qom-type", type, sizeof(type)))
		return lq_refuse(c, arg, "it has no kind");
	for (i = 0; i < VT_NELEM(may); i++)
		if (strcmp(may[i], type) == 0)
			return VT_OK;
	return lq_site_has(c, "object", type)
		   ? VT_OK
		   : refuse_kind(c, arg, "object", type);
}
