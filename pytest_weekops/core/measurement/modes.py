"""Names of the kernel modes that stand for a choice, light enough for the plugin's first import."""

T3_KERNEL, T5_KERNEL = "auto_t3_controlled", "auto_t5_guarded"
CONTROLLED_KERNELS = (T3_KERNEL, T5_KERNEL)
