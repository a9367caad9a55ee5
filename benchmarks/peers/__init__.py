"""What gradc is held against: one file a peer, each imported only when asked for.

A peer has ``contestants(workload, arguments)``, which compiles what there is to compile. Without a
natural way to say a workload there are none.
"""
