#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rooms.py - calls and includes point down.

Usage: rooms.py BUILD ROOM...      rooms from the bottom up, as in the Makefile

Reads the include lines of every source file and the symbols of every object
below BUILD/o (nm), and fails on an include or a call that points to a higher
room, on rooms that form a circle, on a source file that is in no room, on a
circle of more than MAX_CIRCLE files inside one room, and on a symbol that
other files use and FILE.c defines but FILE.h does not declare.
"""
import collections
import os
import re
import subprocess
import sys

MAX_CIRCLE = 5
TABLES = ('commands.h', 'methods.h')  # headers of a table's handlers
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)

build, rooms = sys.argv[1], sys.argv[2:]
level = {room: i for i, room in enumerate(rooms)}
tops = {room.split('/')[0] for room in rooms}
NOT_OURS = 'tpmfront/linux'  # the kernel's side, built by the kernel
bad = []


def room_of(path):
    return os.path.dirname(path)


def sources():
    names = subprocess.run(['git', 'ls-files', '--', '*.c', '*.h'], check=True,
                           capture_output=True, text=True).stdout.split()
    return [n for n in names if n.split('/')[0] in tops
            and room_of(n) != NOT_OURS and os.path.exists(n)]


def is_up(source, target):
    return level[room_of(target)] > level[room_of(source)]


def check_includes(files):
    for name in files:
        with open(name, encoding='utf-8') as f:
            text = f.read()
        for target in INCLUDE.findall(text):
            room = room_of(target).removesuffix('/embed')
            if room not in level:
                bad.append(f'{name} includes "{target}": it is in no room')
            elif level[room] > level[room_of(name)]:
                bad.append(f'{name} includes "{target}": points up')


def symbols(files):
    """Per source file: the global symbols it defines, and those it uses."""
    defines, uses = {}, {}
    objects = {f'{build}/o/{n[:-2]}.o': n for n in files if n.endswith('.c')}
    objects = {o: n for o, n in objects.items() if os.path.exists(o)}
    if not objects:
        sys.exit(f'rooms: no objects below {build}/o: run make first')
    out = subprocess.run(['nm', '-A', '-g', *objects], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        obj, rest = line.split(':', 1)
        kind, symbol = rest.split()[-2:]
        if kind == 'U':
            uses.setdefault(objects[obj], set()).add(symbol)
        else:
            defines.setdefault(symbol, []).append(objects[obj])
    return defines, uses


def calls(defines, uses):
    """(user, definer) -> symbols.  A symbol that two files define belongs to
    the one in the user's own room: a main program's hooks."""
    graph = collections.defaultdict(set)
    for user, names in uses.items():
        for symbol in names:
            for definer in defines.get(symbol, []):
                if definer != user and not definer.endswith('_main.c'):
                    graph[user, definer].add(symbol)
    return graph


def check_calls(graph):
    for (user, definer), names in sorted(graph.items()):
        if is_up(user, definer):
            bad.append(f'{user} calls {", ".join(sorted(names))} '
                       f'of {definer}: points up')


def circles(edges):
    """Strongly connected components of more than one node (Tarjan)."""
    nodes = sorted({n for e in edges for n in e})
    after = collections.defaultdict(list)
    for a, b in sorted(edges):
        after[a].append(b)
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in after[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in nodes:
        if node not in index:
            visit(node)
    return found


def check_circles(graph):
    between = {(room_of(a), room_of(b)) for a, b in graph
               if room_of(a) != room_of(b)}
    for group in circles(between):
        bad.append(f'rooms in a circle: {" ".join(group)}')
    largest = 0
    for room in rooms:
        inside = {(a, b) for a, b in graph
                  if room_of(a) == room and room_of(b) == room}
        for group in circles(inside):
            largest = max(largest, len(group))
            if len(group) > MAX_CIRCLE:
                names = ' '.join(os.path.basename(n) for n in group)
                bad.append(f'{room}: {len(group)} files in a circle: {names}')
    return largest


def check_headers(graph):
    """FILE.h speaks for FILE.c and for no other file; the handlers of one
    table may share the header of that table, whose rows may declare them."""
    used = collections.defaultdict(set)
    for (_, definer), names in graph.items():
        used[definer] |= names
    for definer, names in sorted(used.items()):
        header = definer[:-2] + '.h'
        text = ''
        for name in (header, *(f'{room_of(definer)}/{t}' for t in TABLES)):
            if os.path.exists(name):
                with open(name, encoding='utf-8') as f:
                    text += f.read()
        missing = [n for n in sorted(names)
                   if not re.search(rf'\b{n}\b *[(\[;,]', text)]
        if missing:
            bad.append(f'{definer} defines {", ".join(missing)}: '
                       f'not declared in {header}')


def main():
    sys.setrecursionlimit(10000)
    files = sources()
    for name in files:
        if room_of(name) not in level:
            bad.append(f'{name} is in no room of the Makefile')
    files = [n for n in files if room_of(n) in level]
    check_includes(files)
    graph = calls(*symbols(files))
    check_calls(graph)
    largest = check_circles(graph)
    check_headers(graph)
    for line in bad:
        print(f'rooms: {line}')
    print(f'rooms: {len(rooms)} rooms, {len(files)} files, largest circle '
          f'inside a room: {largest} files')
    return 1 if bad else 0


sys.exit(main())
