// SPDX-License-Identifier: GPL-2.0-only
/*
 * Front half of a Xen vTPM, TPM 2.0 and TPM 1.2, protocol version 2
 * (<xen/interface/io/tpmif.h>).
 *
 * One page is shared with the backend, one event channel rings on both ends,
 * one command is under way at a time.  What can happen meanwhile:
 *
 *  - The backend is not there yet: the chip is registered once it is.
 *  - The domain is suspended, saved or migrated: no command is under way
 *    then (front_prepare), the chip stays registered, a new page is offered
 *    on resume.  Open files of /dev/tpm0 stay valid.
 *  - The backend closes: what waits ends with an error, the chip goes.  When
 *    the backend waits again a new page is offered.
 *  - A command takes too long or its process is killed: it is cancelled, and
 *    the page belongs to the backend until that has answered.
 *
 * The backend may write to the page at any time.  Each field of its header
 * is therefore read once, the answer is copied out once, and only the copy
 * is looked at.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/interface/io/tpmif.h>
#include <xen/page.h>
#include <xen/platform_pci.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "tpm-core.h"

#define MAX_PACKET	(XEN_PAGE_SIZE - sizeof(struct vtpm_shared_page))
#define LINK_TIMEOUT	(30 * HZ)	/* for a backend to connect */
#define LEAST_TIMEOUT	(120 * HZ)	/* for an answer; hosts may be busy */
#define CANCEL_TIMEOUT	(2 * HZ)	/* for the answer to a cancel */
#define HOLD_TIMEOUT	(10 * HZ)	/* for a command when suspend is near */
#define CLOSE_TIMEOUT	(2 * HZ)	/* for a backend to let go */
#define EVENTS_OWED	2		/* per command; more are spurious */
#define SPIN_SKIP	64		/* commands that sleep after a miss */

/* TPM 1.2, <linux/tpm.h> has only those of TPM 2.0 */
#define TPM1_TAG_COMMAND	0x00c1
#define TPM1_CONTINUE_SELFTEST	0x53
#define TPM1_STARTUP		0x99
#define TPM1_ST_CLEAR		1
#define TPM1_INVALID_POSTINIT	38

static unsigned int spin_us = 50;
module_param(spin_us, uint, 0644);
MODULE_PARM_DESC(spin_us,
		 "Microseconds to look for an answer before sleeping, 0: never");

enum link_state {
	LINK_CLOSED,	/* no page is offered: commands fail at once */
	LINK_OFFERED,	/* the backend has not connected yet: they wait */
	LINK_UP,
};

struct front {
	struct xenbus_device *xdev;
	wait_queue_head_t wait;

	/* changed by xenbus' callbacks only, which are never concurrent */
	enum link_state link;
	unsigned int left;	/* times that the backend closed */
	bool resumed;		/* greet the TPM again */
	bool held;		/* suspend is near: nothing new starts */

	/* registers and unregisters the chip; these are its own */
	struct work_struct work;
	struct tpm_chip *chip;
	unsigned int chip_left;	/* value of left when it was registered */
	bool settled;		/* the first attempt is over */

	struct mutex ring_lock;	/* held while a command is under way */
	struct vtpm_shared_page *page;
	grant_ref_t gref;
	evtchn_port_t port;
	int irq;
	atomic_t owed;		/* events that the backend may send */
	unsigned int spin_skip;

	/* from front_send() to front_recv(), under the core's tpm_mutex */
	size_t answer_len;
	u8 answer[MAX_PACKET];
};

static u8 *page_data(struct front *f)
{
	/* No extra pages: neither ever asked for, nor read from the page. */
	return (u8 *)f->page + sizeof(*f->page);
}

/* --- one command ----------------------------------------------------- */

static bool link_is(struct front *f, enum link_state want)
{
	return READ_ONCE(f->link) == want;
}

static void link_set(struct front *f, enum link_state link)
{
	WRITE_ONCE(f->link, link);
	wake_up_all(&f->wait);
}

static bool front_may_send(struct front *f)
{
	return link_is(f, LINK_UP) && !READ_ONCE(f->held);
}

/* The page is ours: nothing is under way, or nothing ever will be. */
static bool front_done(struct front *f)
{
	u8 state = READ_ONCE(f->page->state);

	return state == VTPM_STATE_FINISH || state == VTPM_STATE_IDLE ||
	       !link_is(f, LINK_UP);
}

static irqreturn_t front_interrupt(int irq, void *data)
{
	struct front *f = data;
	bool owed = atomic_dec_if_positive(&f->owed) >= 0;

	wake_up(&f->wait);
	xen_irq_lateeoi(irq, owed ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static void front_set_state(struct front *f, u8 state)
{
	atomic_set(&f->owed, EVENTS_OWED);
	virt_wmb(); /* after the packet and its length */
	WRITE_ONCE(f->page->state, state);
	notify_remote_via_irq(f->irq);
}

/*
 * A short command takes less time than a sleep and a wake-up.  Where the
 * backend is slower, or has to share our processor, spinning is left alone
 * for a while after each miss.
 */
static void front_spin(struct front *f)
{
	u64 end;

	if (f->spin_skip) {
		f->spin_skip--;
		return;
	}
	end = ktime_get_ns() + (u64)min(READ_ONCE(spin_us), 1000U) * 1000;
	while (!front_done(f)) {
		if (need_resched() || ktime_get_ns() >= end) {
			f->spin_skip = SPIN_SKIP;
			return;
		}
		cpu_relax();
	}
}

/* Too late, or no longer wanted.  0 when it was answered after all. */
static int front_cancel(struct front *f, int why)
{
	u8 state;

	if (!front_done(f))
		front_set_state(f, VTPM_STATE_CANCEL);
	wait_event_timeout(f->wait, front_done(f), CANCEL_TIMEOUT);
	state = READ_ONCE(f->page->state);
	dev_dbg(&f->xdev->dev, "a command was given up (%d): state %u\n", why,
		state);
	if (link_is(f, LINK_UP) && state == VTPM_STATE_FINISH)
		return 0;
	return why;
}

static int front_await(struct front *f, unsigned long limit)
{
	unsigned long end = jiffies + limit;
	long left;

	front_spin(f);
	/* An event that got lost costs a second, not the command. */
	do {
		left = wait_event_killable_timeout(f->wait, front_done(f), HZ);
	} while (!left && time_before(jiffies, end));
	if (left <= 0)
		return front_cancel(f, left < 0 ? -EINTR : -ETIME);
	return link_is(f, LINK_UP) ? 0 : -EIO;
}

static int front_fetch(struct front *f)
{
	size_t len;

	if (READ_ONCE(f->page->state) != VTPM_STATE_FINISH)
		return -ECANCELED;
	virt_rmb(); /* the answer is older than the state */
	len = READ_ONCE(f->page->length);
	if (len < TPM_HEADER_SIZE || len > sizeof(f->answer)) {
		dev_err_ratelimited(&f->xdev->dev,
				    "the backend answered %zu bytes\n", len);
		return -EIO;
	}
	memcpy(f->answer, page_data(f), len);
	f->answer_len = len;
	return 0;
}

static int front_exchange(struct front *f, const u8 *cmd, size_t len,
			  unsigned long limit)
{
	long left;
	int rc;

	/* A command that was given up may still have the page. */
	left = wait_event_killable_timeout(f->wait, front_done(f),
					   CANCEL_TIMEOUT);
	if (left <= 0)
		return left < 0 ? -EINTR : -EBUSY;
	if (!link_is(f, LINK_UP))
		return -EIO;
	memcpy(page_data(f), cmd, len);
	WRITE_ONCE(f->page->length, len);
	WRITE_ONCE(f->page->locality, 0);
	WRITE_ONCE(f->page->pad, 0);
	WRITE_ONCE(f->page->nr_extra_pages, 0);
	front_set_state(f, VTPM_STATE_SUBMIT);
	rc = front_await(f, limit);
	return rc ?: front_fetch(f);
}

static int front_await_link(struct front *f)
{
	long left = wait_event_killable_timeout(f->wait,
						front_may_send(f) ||
						link_is(f, LINK_CLOSED),
						LINK_TIMEOUT);

	if (left < 0)
		return -EINTR;
	if (link_is(f, LINK_CLOSED))
		return -EPIPE;
	return left ? 0 : -ETIME;
}

/*
 * The whole exchange.  TPM_CHIP_FLAG_IRQ keeps the core from polling: it
 * fetches the answer as soon as this returns 0.
 */
static int front_send(struct tpm_chip *chip, u8 *buf, size_t len)
{
	const struct tpm_header *header = (const struct tpm_header *)buf;
	struct front *f = dev_get_drvdata(&chip->dev);
	unsigned long limit;
	int rc;

	if (len > MAX_PACKET)
		return -E2BIG;
	limit = tpm_calc_ordinal_duration(chip, be32_to_cpu(header->ordinal));
	limit = max_t(unsigned long, limit, LEAST_TIMEOUT);
	f->answer_len = 0;
	do {
		rc = front_await_link(f);
		if (rc)
			return rc;
		mutex_lock(&f->ring_lock);
		rc = -EAGAIN;
		if (front_may_send(f))
			rc = front_exchange(f, buf, len, limit);
		mutex_unlock(&f->ring_lock);
	} while (rc == -EAGAIN);
	return rc;
}

static int front_recv(struct tpm_chip *chip, u8 *buf, size_t max)
{
	struct front *f = dev_get_drvdata(&chip->dev);
	size_t len = f->answer_len;

	if (!len || len > max)
		return -EIO;
	memcpy(buf, f->answer, len);
	memzero_explicit(f->answer, len);
	f->answer_len = 0;
	return len;
}

/*
 * The core calls this under the lock under which it sends, so that nothing
 * is ever under way here.  A command is cancelled by killing its process.
 */
static void front_cancel_op(struct tpm_chip *chip)
{
}

static const struct tpm_class_ops front_ops = {
	.flags = TPM_OPS_AUTO_STARTUP,
	.send = front_send,
	.recv = front_recv,
	.cancel = front_cancel_op,
};

/* --- the chip -------------------------------------------------------- */

static void chip_drop(struct front *f)
{
	tpm_chip_unregister(f->chip);
	put_device(&f->chip->dev);
	f->chip = NULL;
}

static int chip_register(struct front *f)
{
	struct tpm_chip *chip;
	int rc;

	chip = tpm_chip_alloc(&f->xdev->dev, &front_ops);
	if (IS_ERR(chip))
		return PTR_ERR(chip);
	dev_set_drvdata(&chip->dev, f);
	chip->flags |= TPM_CHIP_FLAG_IRQ;
	rc = tpm2_probe(chip); /* sets TPM_CHIP_FLAG_TPM2 by the answer */
	if (!rc)
		rc = tpm_chip_register(chip);
	if (rc) {
		put_device(&chip->dev);
		return rc;
	}
	f->chip = chip;
	dev_info(&f->xdev->dev, "%s: TPM %s\n", dev_name(&chip->dev),
		 chip->flags & TPM_CHIP_FLAG_TPM2 ? "2.0" : "1.2");
	return 0;
}

static ssize_t chip_command(struct tpm_chip *chip, u16 tag, u32 ordinal,
			    const u8 *args, unsigned int len)
{
	struct tpm_buf buf;
	ssize_t rc;

	rc = tpm_buf_init(&buf, tag, ordinal);
	if (rc)
		return rc;
	tpm_buf_append(&buf, args, len);
	rc = tpm_transmit_cmd(chip, &buf, 0, NULL);
	tpm_buf_destroy(&buf);
	return rc;
}

/*
 * A domain that was restored without its TPM's volatile state finds a TPM
 * that was switched off and on, and no firmware has started it.
 */
static void chip_greet(struct front *f)
{
	static const u8 no_full_test = 0, clear2[2], clear1[2] = {
		0, TPM1_ST_CLEAR
	};
	bool tpm2 = f->chip->flags & TPM_CHIP_FLAG_TPM2;
	ssize_t rc;

	if (tpm_try_get_ops(f->chip))
		return;
	if (tpm2)
		rc = chip_command(f->chip, TPM2_ST_NO_SESSIONS,
				  TPM2_CC_SELF_TEST, &no_full_test, 1);
	else
		rc = chip_command(f->chip, TPM1_TAG_COMMAND,
				  TPM1_CONTINUE_SELFTEST, NULL, 0);
	if (rc == (tpm2 ? TPM2_RC_INITIALIZE : TPM1_INVALID_POSTINIT)) {
		if (tpm2)
			rc = chip_command(f->chip, TPM2_ST_NO_SESSIONS,
					  TPM2_CC_STARTUP, clear2, 2);
		else
			rc = chip_command(f->chip, TPM1_TAG_COMMAND,
					  TPM1_STARTUP, clear1, 2);
		dev_warn(&f->xdev->dev,
			 "the TPM was off while this domain was: PCRs start again (%zd)\n",
			 rc);
	}
	tpm_put_ops(f->chip);
}

static void front_settle(struct work_struct *work)
{
	struct front *f = container_of(work, struct front, work);
	unsigned int left = READ_ONCE(f->left);
	int rc;

	if (f->chip && f->chip_left != left)
		chip_drop(f);
	if (!link_is(f, LINK_UP))
		return;
	if (!f->chip) {
		f->chip_left = left;
		rc = chip_register(f);
		if (rc)
			dev_err(&f->xdev->dev,
				"the TPM cannot be used: error %d\n", rc);
		WRITE_ONCE(f->settled, true);
	} else if (xchg(&f->resumed, false)) {
		chip_greet(f);
	}
}

/* --- the page and its announcement ----------------------------------- */

static void ring_close(struct front *f)
{
	if (f->irq > 0)
		unbind_from_irqhandler(f->irq, f);
	f->irq = 0;
	if (f->page)
		xenbus_teardown_ring((void **)&f->page, 1, &f->gref);
}

static int ring_open(struct front *f)
{
	void *page;
	int rc;

	rc = xenbus_setup_ring(f->xdev, GFP_NOIO | __GFP_HIGH, &page, 1,
			       &f->gref);
	if (rc)
		return rc;
	f->page = page;
	rc = xenbus_alloc_evtchn(f->xdev, &f->port);
	if (rc)
		goto fail;
	rc = bind_evtchn_to_irqhandler_lateeoi(f->port, front_interrupt, 0,
					       "vtpm", f);
	if (rc < 0) {
		xenbus_free_evtchn(f->xdev, f->port);
		goto fail;
	}
	f->irq = rc;
	return 0;
fail:
	ring_close(f);
	return rc;
}

static int ring_write_keys(struct front *f, struct xenbus_transaction xbt)
{
	const char *dir = f->xdev->nodename;
	int rc;

	rc = xenbus_printf(xbt, dir, "ring-ref", "%u", f->gref);
	if (!rc)
		rc = xenbus_printf(xbt, dir, "event-channel", "%u", f->port);
	if (!rc)
		rc = xenbus_write(xbt, dir, "feature-protocol-v2", "1");
	return rc;
}

static int ring_announce(struct front *f)
{
	struct xenbus_transaction xbt;
	int rc;

	do {
		rc = xenbus_transaction_start(&xbt);
		if (rc)
			return rc;
		rc = ring_write_keys(f, xbt);
		if (rc) {
			xenbus_transaction_end(xbt, 1);
			return rc;
		}
		rc = xenbus_transaction_end(xbt, 0);
	} while (rc == -EAGAIN);
	if (!rc)
		rc = xenbus_switch_state(f->xdev, XenbusStateInitialised);
	return rc;
}

/* Offers a new page, in place of another one or of none. */
static int front_offer(struct front *f)
{
	int rc;

	link_set(f, LINK_OFFERED); /* ends what is under way */
	mutex_lock(&f->ring_lock);
	ring_close(f);
	rc = ring_open(f);
	if (!rc)
		rc = ring_announce(f);
	if (rc) {
		ring_close(f);
		link_set(f, LINK_CLOSED);
		xenbus_dev_fatal(f->xdev, rc, "offering a page");
	}
	mutex_unlock(&f->ring_lock);
	return rc;
}

/* --- xenbus ---------------------------------------------------------- */

static void front_connected(struct front *f)
{
	if (!link_is(f, LINK_OFFERED))
		return;
	if (xenbus_read_unsigned(f->xdev->otherend, "feature-protocol-v2",
				 0) != 1) {
		xenbus_dev_fatal(f->xdev, -EPROTO,
				 "the backend does not speak protocol 2");
		link_set(f, LINK_CLOSED);
		return;
	}
	xenbus_switch_state(f->xdev, XenbusStateConnected);
	link_set(f, LINK_UP);
	schedule_work(&f->work);
}

static void front_leave(struct front *f)
{
	if (f->xdev->state == XenbusStateClosed)
		return;
	link_set(f, LINK_CLOSED); /* ends what is under way */
	mutex_lock(&f->ring_lock);
	ring_close(f);
	mutex_unlock(&f->ring_lock);
	WRITE_ONCE(f->left, f->left + 1);
	schedule_work(&f->work);
	xenbus_frontend_closed(f->xdev);
}

static void front_backend_changed(struct xenbus_device *xdev,
				  enum xenbus_state state)
{
	struct front *f = dev_get_drvdata(&xdev->dev);

	switch (state) {
	case XenbusStateConnected:
		front_connected(f);
		break;
	case XenbusStateInitWait:
		if (xdev->state == XenbusStateClosed)
			front_offer(f);
		break;
	case XenbusStateUnknown: /* its folder is gone */
	case XenbusStateClosing:
	case XenbusStateClosed:
		front_leave(f);
		break;
	default:
		break;
	}
}

static int front_probe(struct xenbus_device *xdev,
		       const struct xenbus_device_id *id)
{
	struct front *f;
	int rc;

	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->xdev = xdev;
	f->gref = INVALID_GRANT_REF;
	init_waitqueue_head(&f->wait);
	mutex_init(&f->ring_lock);
	INIT_WORK(&f->work, front_settle);
	dev_set_drvdata(&xdev->dev, f);
	rc = front_offer(f);
	if (rc) {
		dev_set_drvdata(&xdev->dev, NULL);
		kfree(f);
	}
	return rc;
}

static void front_remove(struct xenbus_device *xdev)
{
	struct front *f = dev_get_drvdata(&xdev->dev);
	unsigned long end = jiffies + CLOSE_TIMEOUT;

	/* The watch is gone: check once whether the back half still answers. */
	if (xenbus_read_driver_state(xdev->otherend) != XenbusStateConnected)
		link_set(f, LINK_CLOSED);
	cancel_work_sync(&f->work);
	if (f->chip)
		chip_drop(f);
	if (!link_is(f, LINK_CLOSED)) {
		link_set(f, LINK_CLOSED);
		xenbus_switch_state(xdev, XenbusStateClosing);
		while (xenbus_read_driver_state(xdev->otherend) ==
		       XenbusStateConnected && time_before(jiffies, end))
			msleep(20);
	}
	ring_close(f);
	dev_set_drvdata(&xdev->dev, NULL);
	kfree_sensitive(f);
}

static int front_resume(struct xenbus_device *xdev)
{
	struct front *f = dev_get_drvdata(&xdev->dev);
	int rc;

	WRITE_ONCE(f->resumed, true);
	rc = front_offer(f);
	if (rc) {
		WRITE_ONCE(f->left, f->left + 1);
		schedule_work(&f->work);
	}
	return rc;
}

static int front_is_ready(struct xenbus_device *xdev)
{
	struct front *f = dev_get_drvdata(&xdev->dev);

	return !f || READ_ONCE(f->settled);
}

/*
 * Before suspend, after all processes were frozen: work queues and kernel
 * threads may still send.  A command that does not end in time calls the
 * suspend off.  front_complete() is called in every case, also when the
 * hypervisor only took a checkpoint and front_resume() is not.
 */
static int front_prepare(struct device *dev)
{
	struct front *f = dev_get_drvdata(dev);
	unsigned long end = jiffies + HOLD_TIMEOUT;

	WRITE_ONCE(f->held, true);
	while (!mutex_trylock(&f->ring_lock)) {
		if (time_after(jiffies, end)) {
			WRITE_ONCE(f->held, false);
			wake_up_all(&f->wait);
			return -EBUSY;
		}
		msleep(20);
	}
	mutex_unlock(&f->ring_lock);
	return 0;
}

static void front_complete(struct device *dev)
{
	struct front *f = dev_get_drvdata(dev);

	WRITE_ONCE(f->held, false);
	wake_up_all(&f->wait);
}

static const struct dev_pm_ops front_pm_ops = {
	.prepare = front_prepare,
	.complete = front_complete,
};

static const struct xenbus_device_id front_ids[] = {
	{ "vtpm" },
	{ "" }
};
MODULE_ALIAS("xen:vtpm");

static struct xenbus_driver front_driver = {
	.name = "vtpm-tpmfront", /* the kernel's own driver is "vtpm" */
	.ids = front_ids,
	.not_essential = true,
	.probe = front_probe,
	.remove = front_remove,
	.resume = front_resume,
	.is_ready = front_is_ready,
	.otherend_changed = front_backend_changed,
	.driver.pm = &front_pm_ops,
};

static int __init front_init(void)
{
	if (!xen_domain() || !xen_has_pv_devices())
		return -ENODEV;
	return xenbus_register_frontend(&front_driver);
}
module_init(front_init);

static void __exit front_exit(void)
{
	xenbus_unregister_driver(&front_driver);
}
module_exit(front_exit);

MODULE_DESCRIPTION("Xen vTPM front half, TPM 2.0 and 1.2");
MODULE_LICENSE("GPL");
