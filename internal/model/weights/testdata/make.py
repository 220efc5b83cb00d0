# Writes the small checkpoints of this folder with torch and numpy.
# usage: python3 make.py
import collections, pickle, numpy as np, torch
a = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
state = collections.OrderedDict()
state['a.weight'] = a
state['b.half'] = torch.tensor([1.5, -2.25, 65504.]).half()
state['c.bfloat16'] = torch.tensor([1.5, -3.0]).bfloat16()
state['d.double'] = torch.tensor([[0.1]], dtype=torch.float64)
state['e.long'] = torch.tensor(7)
state['f.transposed'] = a[0].t()          # not contiguous
state['g.slice'] = a[1, 1:, ::2]          # shares a's storage
state['h.expanded'] = torch.tensor([1., 2.])
state['i.empty'] = torch.zeros(0, 3)
torch.save(state, 'zip.pth')
torch.save(state, 'legacy.pth', _use_new_zipfile_serialization=False)
torch.save({'model': {'module.' + k: v for k, v in state.items()}, 'epoch': 3, 'lr': .1, 'optimizer': {'state': {0: {'m': a}}, 'param_groups': []}}, 'nested.pth')
model = {'conv.weight': np.arange(6, dtype=np.float32).reshape(1, 2, 3), 'conv.bias': np.array([.5]), 'step': np.int64(9),
         'fortran': np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))}
for protocol in (2, 4):
    with open(f'numpy{protocol}.pkl', 'wb') as f:
        pickle.dump({'model': model, '__author__': 'somebody', 'matching_heuristics': True}, f, protocol=protocol)
class Evil:
    def __reduce__(self): import os; return os.system, ('echo this must never run > /tmp/evil',)
with open('evil.pkl', 'wb') as f: pickle.dump({'w': Evil()}, f, protocol=2)
torch.save({'w': a, 'x': Evil()}, 'evil.pth')
