//go:build gpu && linux && amd64

// Entry points of libcuda: each jumps to where its slot points, to begin with to a function that says that there is no
// driver. retinago_cuda_slots and retinago_cuda_names are in the same order.

	.section .rodata.cuda, "a"
	.globl	retinago_cuda_names
retinago_cuda_names:
	.section .data.cuda, "aw"
	.balign	8
	.globl	retinago_cuda_slots
retinago_cuda_slots:

	.macro	entry name
	.section .rodata.cuda
	.asciz	"\name"
	.section .data.cuda
slot\@:
	.quad	retinago_cuda_missing
	.text
	.globl	\name
	.type	\name, @function
\name:
	jmp	*slot\@(%rip)
	.endm

	entry	cuArray3DCreate_v2
	entry	cuArray3DGetDescriptor_v2
	entry	cuArrayCreate_v2
	entry	cuArrayDestroy
	entry	cuArrayGetDescriptor_v2
	entry	cuCtxCreate_v2
	entry	cuCtxDestroy_v2
	entry	cuCtxDisablePeerAccess
	entry	cuCtxEnablePeerAccess
	entry	cuCtxGetApiVersion
	entry	cuCtxGetCacheConfig
	entry	cuCtxGetCurrent
	entry	cuCtxGetDevice
	entry	cuCtxGetFlags
	entry	cuCtxGetLimit
	entry	cuCtxGetSharedMemConfig
	entry	cuCtxGetStreamPriorityRange
	entry	cuCtxPopCurrent_v2
	entry	cuCtxPushCurrent_v2
	entry	cuCtxResetPersistingL2Cache
	entry	cuCtxSetCacheConfig
	entry	cuCtxSetCurrent
	entry	cuCtxSetLimit
	entry	cuCtxSetSharedMemConfig
	entry	cuCtxSynchronize
	entry	cuDeviceCanAccessPeer
	entry	cuDeviceGet
	entry	cuDeviceGetAttribute
	entry	cuDeviceGetCount
	entry	cuDeviceGetName
	entry	cuDeviceGetP2PAttribute
	entry	cuDeviceGetUuid
	entry	cuDevicePrimaryCtxGetState
	entry	cuDevicePrimaryCtxRelease_v2
	entry	cuDevicePrimaryCtxReset_v2
	entry	cuDevicePrimaryCtxRetain
	entry	cuDevicePrimaryCtxSetFlags_v2
	entry	cuDeviceTotalMem_v2
	entry	cuDriverGetVersion
	entry	cuEventCreate
	entry	cuEventDestroy_v2
	entry	cuEventElapsedTime
	entry	cuEventQuery
	entry	cuEventRecord
	entry	cuEventSynchronize
	entry	cuFuncGetAttribute
	entry	cuFuncSetCacheConfig
	entry	cuFuncSetSharedMemConfig
	entry	cuGraphAddChildGraphNode
	entry	cuGraphAddDependencies
	entry	cuGraphAddEmptyNode
	entry	cuGraphAddHostNode
	entry	cuGraphAddKernelNode
	entry	cuGraphAddMemcpyNode
	entry	cuGraphAddMemsetNode
	entry	cuGraphClone
	entry	cuGraphCreate
	entry	cuGraphDestroy
	entry	cuGraphDestroyNode
	entry	cuGraphExecDestroy
	entry	cuGraphGetEdges
	entry	cuGraphInstantiateWithFlags
	entry	cuGraphLaunch
	entry	cuLaunchKernel
	entry	cuLinkAddData_v2
	entry	cuLinkAddFile_v2
	entry	cuLinkComplete
	entry	cuLinkCreate_v2
	entry	cuLinkDestroy
	entry	cuMemAdvise
	entry	cuMemAllocManaged
	entry	cuMemAllocPitch_v2
	entry	cuMemAlloc_v2
	entry	cuMemFreeHost
	entry	cuMemFree_v2
	entry	cuMemGetAddressRange_v2
	entry	cuMemGetInfo_v2
	entry	cuMemHostAlloc
	entry	cuMemPrefetchAsync
	entry	cuMemcpy
	entry	cuMemcpy2DAsync_v2
	entry	cuMemcpy2DUnaligned_v2
	entry	cuMemcpy2D_v2
	entry	cuMemcpy3DAsync_v2
	entry	cuMemcpy3DPeer
	entry	cuMemcpy3DPeerAsync
	entry	cuMemcpy3D_v2
	entry	cuMemcpyAsync
	entry	cuMemcpyAtoA_v2
	entry	cuMemcpyAtoD_v2
	entry	cuMemcpyAtoHAsync_v2
	entry	cuMemcpyAtoH_v2
	entry	cuMemcpyDtoA_v2
	entry	cuMemcpyDtoDAsync_v2
	entry	cuMemcpyDtoD_v2
	entry	cuMemcpyDtoHAsync_v2
	entry	cuMemcpyDtoH_v2
	entry	cuMemcpyHtoAAsync_v2
	entry	cuMemcpyHtoA_v2
	entry	cuMemcpyHtoDAsync_v2
	entry	cuMemcpyHtoD_v2
	entry	cuMemcpyPeer
	entry	cuMemcpyPeerAsync
	entry	cuMemsetD16Async
	entry	cuMemsetD16_v2
	entry	cuMemsetD2D16Async
	entry	cuMemsetD2D16_v2
	entry	cuMemsetD2D32Async
	entry	cuMemsetD2D32_v2
	entry	cuMemsetD2D8Async
	entry	cuMemsetD2D8_v2
	entry	cuMemsetD32Async
	entry	cuMemsetD32_v2
	entry	cuMemsetD8Async
	entry	cuMemsetD8_v2
	entry	cuModuleGetFunction
	entry	cuModuleGetGlobal_v2
	entry	cuModuleGetSurfRef
	entry	cuModuleGetTexRef
	entry	cuModuleLoad
	entry	cuModuleLoadData
	entry	cuModuleLoadDataEx
	entry	cuModuleLoadFatBinary
	entry	cuModuleUnload
	entry	cuOccupancyMaxActiveBlocksPerMultiprocessor
	entry	cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags
	entry	cuOccupancyMaxPotentialBlockSize
	entry	cuPointerGetAttribute
	entry	cuPointerSetAttribute
	entry	cuStreamAttachMemAsync
	entry	cuStreamBeginCapture_v2
	entry	cuStreamCreate
	entry	cuStreamCreateWithPriority
	entry	cuStreamDestroy_v2
	entry	cuStreamEndCapture
	entry	cuStreamGetFlags
	entry	cuStreamGetPriority
	entry	cuStreamQuery
	entry	cuStreamSynchronize
	entry	cuStreamWaitEvent
	entry	cuStreamWaitValue32
	entry	cuStreamWriteValue32
	entry	cuSurfRefGetArray
	entry	cuSurfRefSetArray
	entry	cuTexRefGetAddressMode
	entry	cuTexRefGetAddress_v2
	entry	cuTexRefGetArray
	entry	cuTexRefGetBorderColor
	entry	cuTexRefGetFilterMode
	entry	cuTexRefGetFlags
	entry	cuTexRefGetFormat
	entry	cuTexRefGetMaxAnisotropy
	entry	cuTexRefSetAddress2D_v3
	entry	cuTexRefSetAddressMode
	entry	cuTexRefSetAddress_v2
	entry	cuTexRefSetArray
	entry	cuTexRefSetBorderColor
	entry	cuTexRefSetFilterMode
	entry	cuTexRefSetFlags
	entry	cuTexRefSetFormat
	entry	cuTexRefSetMaxAnisotropy
	entry	cuTexRefSetMipmapFilterMode
	entry	cuTexRefSetMipmapLevelBias
	entry	cuTexRefSetMipmapLevelClamp

	.section .rodata.cuda
	.byte	0
	.section .note.GNU-stack, "", @progbits
