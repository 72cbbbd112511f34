/* ooblab capture: all that is urgent in live or stored packets. */
#include "tools/capture_run.h"

static int run(const struct cmd *self, int argc, char **argv)
{
	struct request r;
	int status = request_read(&r, self, argc, argv);

	if (!status)
		status = capture_run(&r);
	request_free(&r);
	return status;
}

const struct cmd cmd_capture = {
	.name = "capture",
	.args = "(-i INTERFACE | -r FILE | --compare A B) [OPTION]... [FILTER]",
	.does = "show what is urgent in live or stored packets",
	.help = "FILE is pcap or pcapng, plain or packed by gzip or zstd; - is "
		"standard input.\nFILTER is libpcap's filter language.\n\n"
		"  -i INTERFACE        live, until SIGINT; \"any\" is all\n"
		"  -r FILE             stored packets\n"
		"  -w FILE             the urgent packets as pcapng with "
		"comments\n"
		"  --whole-flows       all packets of flows that had any\n"
		"  -c COUNT            end after COUNT packets\n"
		"  -n                  no names (none are ever looked up)\n"
		"  -s SNAPLEN          bytes kept of a live packet; 262144\n"
		"  -B KIB              the kernel's ring, in KiB; 16384\n"
		"  --growing           at the end of FILE, wait for more\n"
		"  --json              an object a line, last a summary\n"
		"  --summary           the summary alone, as a line or an "
		"object\n"
		"  --ladder[=mermaid]  one flow as a sequence diagram\n"
		"  --follow N[/a|/b]   what one flow said, urgent bytes in "
		"brackets\n"
		"  --flow N[/a|/b]     the flow, and its direction\n"
		"  --view NAME         the bytes that kind of receiver hands "
		"on\n"
		"  --views             all kinds compared, octet by octet\n"
		"  --compare A B       two captures of the same connections\n"
		"  --inner             look into tunnels as well\n"
		"  --by-interface      a flow met at two interfaces is two\n"
		"  --max-flows N       flows known at once; 1048576\n"
		"  --max-memory BYTES  the same, at 256 bytes a flow\n\n"
		"Exit status: 0 no findings, 1 findings, 2 usage or a file "
		"that is broken or\ncut, 77 no permission to capture.\n\n"
		"example: ooblab capture -r x.pcapng\n",
	.run = run,
};
