/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_nodes.h - the nodes of a xenstore in memory, and how they are read.
 */
#ifndef TESTS_UNIT_XEN_NODES_H
#define TESTS_UNIT_XEN_NODES_H

#define NODES 32

static struct {
	char path[96], val[64];
} nodes[NODES];

static char *
find_node(const char *path, bool make)
{
	int i, spare = -1;

	for (i = 0; i < NODES; i++) {
		if (strcmp(nodes[i].path, path) == 0)
			return nodes[i].val;
		if (nodes[i].path[0] == '\0' && spare < 0)
			spare = i;
	}
	if (!make)
		return NULL;
	assert_true(spare >= 0);
	(void)snprintf(nodes[spare].path, sizeof(nodes[0].path), "%s", path);
	return nodes[spare].val;
}

static void
set_node(const char *path, const char *val)
{
	(void)snprintf(find_node(path, true), sizeof(nodes[0].val), "%s", val);
}

void *
xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
    unsigned int *len)
{
	const char *v = find_node(path, false);

	(void)h;
	(void)t;
	if (v == NULL)
		return NULL;
	*len = (unsigned int)strlen(v);
	return strdup(v);
}

#endif
