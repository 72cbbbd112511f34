/*
 * Two hosts and a router between them, each in a network namespace of its
 * own: 10.1.0.1 (A) - 10.1.0.254 router 10.2.0.254 - 10.2.0.1 (B).
 */
#ifndef TESTS_PATH_H
#define TESTS_PATH_H

enum path_place {
	PATH_ROUTER,
	PATH_A,
	PATH_B,
	PATH_PLACES
};

struct path {
	int namespaces[PATH_PLACES]; /* /proc/self/ns/net of each */
};

#define PATH_A_ADDRESS	    "10.1.0.1"
#define PATH_B_ADDRESS	    "10.2.0.1"
#define PATH_ROUTER_ADDRESS "10.1.0.254" /* as A reaches it */
#define PATH_A_LINK	    "va"
#define PATH_B_LINK	    "vb"
#define PATH_ROUTER_B_LINK  "rb" /* the router's, toward B */

/*
 * Build it; the process is the router then, and is best ended afterwards.
 * Without privilege it first enters a user namespace. Returns 0, or -errno.
 */
int path_build(struct path *path);

/* Go there: sockets opened from now on are that place's. */
int path_enter(const struct path *path, enum path_place place);

/*
 * Give rules to the router's nft. Returns 0, -ENOENT where there is no nft,
 * -EOPNOTSUPP where it refuses them, as a kernel without that expression does.
 */
int path_rules(const struct path *path, const char *rules);

/* The link no longer leaves segmentation to later: ETHTOOL_SGSO, _STSO. */
int path_no_offload(const struct path *path, enum path_place place,
		    const char *link);

#endif
