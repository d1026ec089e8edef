import type { Resource } from '../../api/resource.ts';
import { KubectlError } from './errors.ts';
import type { Mapper } from './mapper.ts';

/** What a command is asked about: a resource, and a name or all of them. */
export interface Target {
  readonly resource: Resource;
  readonly name?: string;
}

/** `pods`, `pods,svc`, `pod web`, `pod web api`, `pod/web svc/web`, `all`. Throws kubectl's complaints. */
export function targetsOf(mapper: Mapper, args: readonly string[]): readonly Target[] {
  const [first, ...names] = args;
  if (first === undefined)
    throw new KubectlError('You must specify the type of resource, such as: pods, deploy/web, svc web');
  if (first.includes('/')) {
    return args.map((arg) => {
      const [type = '', name = '', ...more] = arg.split('/');
      if (more.length > 0) throw new KubectlError('arguments in resource/name form may not have more than one slash');
      if (type === '' || name === '') {
        throw new KubectlError(
          "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'coracle get resource/<resource_name>' instead of 'coracle get resource resource/<resource_name>'",
        );
      }
      return { resource: mapper.byName(type), name };
    });
  }
  const resources = first.split(',').flatMap((type) => {
    const category = mapper.category(type);
    return category.length > 0 ? category : [mapper.byName(type)];
  });
  if (names.length === 0) return resources.map((resource) => ({ resource }));
  return resources.flatMap((resource) => names.map((name) => ({ resource, name })));
}
