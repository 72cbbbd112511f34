#include "capture/live.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "capture/decode.h"

/*
 * What a ring holds while nobody reads it: packets of 142 bytes on lo (MTU
 * 65536), Linux 6.18, libpcap 1.10.3:
 *
 *	snaplen	 gather_ms	 2 MiB	16 MiB
 *	262144		 0	    32	   256
 *	  9000		 0	   232	  1850
 *	   256		 0	  6240	 49932
 *	   any		 1	  2100	 15800
 *	   any		10	  7400	 54000
 *
 * With gather_ms 0 (immediate mode, TPACKET_V2) each packet takes a slot as
 * large as the snaplen or, where that is less, the MTU. With a time
 * (TPACKET_V3) packets lie behind one another in blocks, and the time is when
 * a block that is not full is handed over all the same; packets carry the
 * kernel's stamp either way. So a time is what keeps whole packets and loses
 * none: the longer, the fuller each block, of which there are eight in 2 MiB.
 */

struct capture_live {
	pcap_t *pcap;
	int fd;
	uint32_t linktype;
	uint32_t snaplen;
	int64_t fraction_ns; /* one unit of a stamp's fraction */
	struct capture_live_counts counts;
	struct pcap_stat last; /* libpcap counts in 32 bits, and wraps */
};

static int error_number(int status)
{
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

/* libpcap's own text where it has one, else what the status says. */
static int explain(pcap_t *pcap, const char *device, int status, char *err)
{
	const char *text = pcap_geterr(pcap);
	int number = error_number(status);

	if (number == -EPERM)
		snprintf(err, CAPTURE_ERR_MAX,
			 "%s: no permission to capture: CAP_NET_RAW is missing",
			 device);
	else
		snprintf(err, CAPTURE_ERR_MAX, "%s: %s", device,
			 *text ? text : pcap_statustostr(status));
	return number;
}

static int activate(struct capture_live *live,
		    const struct capture_live_options *options, char *err)
{
	pcap_t *pcap = live->pcap;
	int status;

	pcap_set_snaplen(pcap, (int)live->snaplen);
	pcap_set_promisc(pcap, options->promiscuous);
	pcap_set_buffer_size(pcap, options->buffer_bytes
					   ? (int)options->buffer_bytes
					   : (int)CAPTURE_LIVE_BUFFER_BYTES);
	pcap_set_immediate_mode(pcap, options->gather_ms == 0);
	pcap_set_timeout(pcap, (int)options->gather_ms);
	live->fraction_ns = 1000;
	if (pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) == 0)
		live->fraction_ns = 1;
	status = pcap_activate(pcap);
	if (status < 0)
		return explain(pcap, options->device, status, err);
	return 0;
}

/*
 * A packet on a loopback interface passes twice, out and in. libpcap throws
 * the first copy away, but only after it took a slot of the ring and was
 * counted if it found none. Failing this is no harm (Linux before 4.20).
 */
static void ignore_outgoing_copies(pcap_t *pcap, const char *device)
{
	struct ifreq request = { 0 };
	const int on = 1;

	if (strlen(device) >= sizeof(request.ifr_name))
		return;
	strcpy(request.ifr_name, device);
	if (ioctl(pcap_fileno(pcap), SIOCGIFFLAGS, &request) == 0 &&
	    request.ifr_flags & IFF_LOOPBACK)
		setsockopt(pcap_fileno(pcap), SOL_PACKET,
			   PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

static int set_filter(pcap_t *pcap, const char *filter, char *err)
{
	struct bpf_program program;
	int ret = 0;

	if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(err, CAPTURE_ERR_MAX, "filter \"%s\": %s", filter,
			 pcap_geterr(pcap));
		return -EINVAL;
	}
	if (pcap_setfilter(pcap, &program) < 0) {
		snprintf(err, CAPTURE_ERR_MAX, "filter \"%s\": %s", filter,
			 pcap_geterr(pcap));
		ret = -EIO;
	}
	pcap_freecode(&program);
	return ret;
}

static uint32_t to_linktype(int dlt)
{
	return dlt == CAPTURE_LINK_DLT_RAW ? CAPTURE_LINK_RAW : (uint32_t)dlt;
}

static int configure(struct capture_live *live,
		     const struct capture_live_options *options, char *err)
{
	int ret = activate(live, options, err);

	if (ret < 0)
		return ret;
	ignore_outgoing_copies(live->pcap, options->device);
	if (options->filter) {
		ret = set_filter(live->pcap, options->filter, err);
		if (ret < 0)
			return ret;
	}
	if (pcap_setnonblock(live->pcap, 1, err) < 0)
		return -EIO;
	live->fd = pcap_get_selectable_fd(live->pcap);
	live->linktype = to_linktype(pcap_datalink(live->pcap));
	live->snaplen = (uint32_t)pcap_snapshot(live->pcap);
	if (live->fd < 0) {
		snprintf(err, CAPTURE_ERR_MAX, "%s: cannot be polled",
			 options->device);
		return -EIO;
	}
	return 0;
}

int capture_live_open(struct capture_live **out,
		      const struct capture_live_options *options,
		      char err[CAPTURE_ERR_MAX])
{
	struct capture_live *live = calloc(1, sizeof(*live));
	int ret;

	_Static_assert(CAPTURE_ERR_MAX >= PCAP_ERRBUF_SIZE,
		       "libpcap writes it");
	if (!live) {
		snprintf(err, CAPTURE_ERR_MAX, "out of memory");
		return -ENOMEM;
	}
	live->snaplen = options->snaplen ? options->snaplen
					 : CAPTURE_LIVE_SNAPLEN;
	live->pcap = pcap_create(options->device, err);
	ret = live->pcap ? configure(live, options, err) : -EIO;
	if (ret < 0) {
		capture_live_close(live);
		return ret;
	}
	*out = live;
	return 0;
}

int capture_live_next(struct capture_live *live, struct capture_packet *packet,
		      char err[CAPTURE_ERR_MAX])
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got = pcap_next_ex(live->pcap, &header, &data);

	if (got == 0)
		return 0;
	if (got < 0) {
		snprintf(err, CAPTURE_ERR_MAX, "%s", pcap_geterr(live->pcap));
		return -EIO;
	}
	*packet = (struct capture_packet){
		.time_ns = header->ts.tv_sec * INT64_C(1000000000) +
			   header->ts.tv_usec * live->fraction_ns,
		.data = data,
		.caplen = header->caplen,
		.len = header->len,
		.linktype = live->linktype,
	};
	return 1;
}

int capture_live_fd(const struct capture_live *live)
{
	return live->fd;
}

uint32_t capture_live_linktype(const struct capture_live *live)
{
	return live->linktype;
}

uint32_t capture_live_snaplen(const struct capture_live *live)
{
	return live->snaplen;
}

int capture_live_counts(struct capture_live *live,
			struct capture_live_counts *counts)
{
	struct pcap_stat stat;

	if (pcap_stats(live->pcap, &stat) < 0)
		return -EIO;
	live->counts.received += stat.ps_recv - live->last.ps_recv;
	live->counts.dropped += stat.ps_drop - live->last.ps_drop;
	live->counts.interface_dropped += stat.ps_ifdrop - live->last.ps_ifdrop;
	live->last = stat;
	*counts = live->counts;
	return 0;
}

void capture_live_close(struct capture_live *live)
{
	if (!live)
		return;
	if (live->pcap)
		pcap_close(live->pcap);
	free(live);
}
