import { describe, expect, test } from 'vitest'
import { type StoreBench, wheelOf } from './bench.ts'

/** The upstream's pages, files and list. */
export function pagesContract({ store, running }: StoreBench): void {
  describe('pages', () => {
    const page = { project: 'cffi', json: Buffer.from('{"é":1}'), url: 'https://upstream.example/simple/cffi/', validator: '"1"', freshness: { seconds: 600, staleWhileRevalidate: 300 }, fetchedAt: 5 }
    const file = { sha256: 'a'.repeat(64), filename: 'cffi-1.17.tar.gz', project: 'cffi', url: 'https://upstream.example/f', metadata: undefined }

    test('a page comes back as it was put, bytes and all, and the newest counts', async () => {
      expect(await store.pages.get('cffi')).toBeUndefined()
      await store.pages.put(page, [])
      expect(await store.pages.get('cffi')).toEqual(page)
      const absent = { ...page, json: undefined, validator: undefined, freshness: { seconds: undefined, staleWhileRevalidate: 0 }, fetchedAt: 6 }
      await store.pages.put(absent, [])
      expect(await store.pages.get('cffi')).toEqual(absent)
    })

    test('what is known of a page comes without its bytes', async () => {
      expect(await store.pages.about('cffi')).toBeUndefined()
      const { json: _json, ...about } = page
      for (const json of [page.json, Buffer.alloc(0), undefined]) {
        await store.pages.put({ ...page, json }, [])
        expect(await store.pages.about('cffi')).toEqual({ ...about, absent: json === undefined })
      }
    })

    test('an empty page is not an absent one', async () => {
      await store.pages.put({ ...page, json: Buffer.alloc(0) }, [])
      expect((await store.pages.get('cffi'))?.json).toEqual(Buffer.alloc(0))
    })

    test('touching says that nothing changed', async () => {
      await store.pages.put(page, [])
      const before = await store.generation('cffi')
      await store.pages.touch('cffi', 99, { seconds: 0, staleWhileRevalidate: 7 })
      expect(await store.pages.get('cffi')).toEqual({ ...page, freshness: { seconds: 0, staleWhileRevalidate: 7 }, fetchedAt: 99 })
      expect(await store.generation('cffi')).toBe(before)
    })

    test('files of older pages stay recorded; newer pages correct the URL', async () => {
      const gone = { ...file, sha256: 'b'.repeat(64), filename: 'cffi-1.16.tar.gz', metadata: 'c'.repeat(64) }
      await store.pages.put(page, [file, gone])
      await store.pages.put(page, [{ ...file, url: 'https://upstream.example/moved', source: 'one' }])
      expect(await store.pages.file(gone.sha256, gone.filename)).toMatchObject(gone)
      expect(await store.pages.file(file.sha256, file.filename)).toMatchObject({ ...file, url: 'https://upstream.example/moved', source: 'one' })
      // Another upstream's page names the same.
      await store.pages.put(page, [{ ...file, url: 'https://upstream.example/moved', source: 'two' }])
      expect(await store.pages.file(file.sha256, file.filename)).toMatchObject({ source: 'two' })
      expect(await store.pages.file(file.sha256, 'other.tar.gz')).toBeUndefined()
      expect(await store.pages.files('cffi')).toHaveLength(2)
      expect(await store.pages.files('other')).toEqual([])
    })

    test('a file was seen when its first page was fetched, and uploaded when its newest page says', async () => {
      const ages = async () => {
        const { uploadedAt, seenAt } = (await store.pages.file(file.sha256, file.filename))!
        return [uploadedAt, seenAt]
      }
      await store.pages.put(page, [file])
      expect(await ages()).toEqual([undefined, 5])
      await store.pages.put({ ...page, fetchedAt: 9 }, [{ ...file, uploadedAt: 3 }])
      expect(await ages()).toEqual([3, 5])
      await store.pages.put({ ...page, fetchedAt: 10 }, [{ ...file, uploadedAt: 4 }])
      expect(await ages()).toEqual([4, 5])
      await store.pages.put({ ...page, fetchedAt: 11 }, [file])
      expect(await ages()).toEqual([undefined, 5])
    })

    test('what pages do not date is asked for by project: files without upload-time, and the sdists of our wheels', async () => {
      const dated = { ...file, uploadedAt: 3 }
      const undated = { ...file, sha256: 'b'.repeat(64), filename: 'cffi-1.16.tar.gz' }
      await store.pages.put(page, [dated, undated])
      await store.pages.put({ ...page, project: 'other' }, [{ ...undated, sha256: 'c'.repeat(64), project: 'other' }])
      expect(await store.pages.undated('cffi')).toEqual([expect.objectContaining({ ...undated, seenAt: 5 })])
      const job = await running()
      await store.wheels.publish(wheelOf(job), { id: job.id, worker: 'w1', metadataChanged: false }, {}, 20)
      expect((await store.pages.undated('cffi')).map(({ sha256 }) => sha256)).toEqual([undated.sha256, dated.sha256])
      expect(await store.pages.undated('nobody')).toEqual([])
    })

    test('files are found by their bytes alone, whatever their names', async () => {
      const twin = { ...file, filename: 'a-twin.tar.gz', project: 'a-twin' }
      await store.pages.put(page, [file, twin])
      expect((await store.pages.named(file.sha256)).map(({ filename }) => filename)).toEqual(['a-twin.tar.gz', 'cffi-1.17.tar.gz'])
      expect(await store.pages.named('f'.repeat(64))).toEqual([])
    })

    test('what one project\'s page says of a file is not changed by another\'s, whichever comes first', async () => {
      const named = { ...file, filename: 'cffi-1.17-py3-none-any.whl', metadata: 'c'.repeat(64), size: 7, uploadedAt: 3 }
      const theirs = { ...named, project: 'evil', url: 'https://evil.example/f', metadata: 'e'.repeat(64), size: 8, uploadedAt: 1 }
      const served = async (filename = named.filename) => [await store.pages.file(file.sha256, filename), store.glance.file(file.sha256, filename)]
      await store.pages.put({ ...page, project: 'evil', fetchedAt: 1 }, [theirs])
      expect(await served()).toEqual([{ ...theirs, seenAt: 1 }, { project: 'evil', metadata: theirs.metadata }])
      for (const [at, each] of [[5, named], [6, theirs], [7, named]] as const) await store.pages.put({ ...page, project: each.project, fetchedAt: at }, [each])
      await store.pages.setMetadata(theirs, 'f'.repeat(64))
      expect(await served()).toEqual([{ ...named, seenAt: 5 }, { project: 'cffi', metadata: named.metadata }])
      expect((await store.pages.listed(file.sha256, named.filename)).map(({ project, metadata, seenAt }) => [project, metadata?.[0], seenAt])).toEqual([['evil', 'f', 1], ['cffi', 'c', 5]])
      expect([(await store.pages.files('evil')).length, (await store.pages.files('cffi')).length]).toEqual([1, 1])
      // Whose an sdist is its name may leave open: none of them says alone what its METADATA are.
      const [one, other] = [['a', 'a'], ['a-1', 'b']].map(([project, digit]) => ({ ...file, filename: 'a-1-2.zip', project: project!, metadata: digit!.repeat(64) }))
      await store.pages.put({ ...page, project: 'a' }, [one!])
      expect((await served(one!.filename))[0]).toMatchObject({ project: 'a', metadata: one!.metadata })
      await store.pages.put({ ...page, project: 'a-1' }, [other!])
      expect(await served(one!.filename)).toEqual([{ ...one, metadata: undefined, seenAt: 5 }, { project: 'a', metadata: undefined }])
    })

    test('a metadata digest once learnt is not forgotten by a page that names none', async () => {
      await store.pages.put(page, [{ ...file, metadata: '' }])
      expect((await store.pages.file(file.sha256, file.filename))?.metadata).toBe('')
      await store.pages.setMetadata(file, 'c'.repeat(64))
      await store.pages.put(page, [{ ...file, metadata: '' }])
      expect((await store.pages.file(file.sha256, file.filename))?.metadata).toBe('c'.repeat(64))
      await store.pages.put(page, [{ ...file, metadata: 'd'.repeat(64) }])
      expect((await store.pages.file(file.sha256, file.filename))?.metadata).toBe('d'.repeat(64))
    })

    test('a size once learnt stays; wheels without METADATA are remembered, and the page is another by it', async () => {
      await store.pages.put(page, [{ ...file, size: 17 }])
      await store.pages.put(page, [file])
      expect((await store.pages.file(file.sha256, file.filename))?.size).toBe(17)
      await store.pages.put(page, [{ ...file, size: 18 }])
      expect((await store.pages.file(file.sha256, file.filename))?.size).toBe(18)
      const before = await store.generation('cffi')
      await store.pages.setUnreadable(file)
      await store.pages.setUnreadable(file)
      expect(await store.generation('cffi')).toBe(before + 1)
      expect([await store.pages.unreadable('cffi'), await store.pages.unreadable('six')]).toEqual([[file.sha256], []])
    })

    test('a page of which a file cannot be stored is not stored either', async () => {
      await store.pages.put(page, [])
      const broken = { ...file, url: null as unknown as string }
      await expect(store.pages.put({ ...page, validator: '"2"' }, [file, broken])).rejects.toMatchObject({ code: 'internal' })
      expect((await store.pages.get('cffi'))?.validator).toBe('"1"')
      expect(await store.pages.files('cffi')).toEqual([])
    })

    test('the project list is one row', async () => {
      expect(await store.pages.list()).toBeUndefined()
      await store.pages.putList({ sha256: 'a'.repeat(64), validator: undefined, fetchedAt: 1 })
      const newer = { sha256: 'b'.repeat(64), validator: 'Sun, 22 Nov 2026 12:00:00 GMT', freshness: { seconds: 600, staleWhileRevalidate: 0 }, fetchedAt: 2 }
      await store.pages.putList(newer)
      expect(await store.pages.list()).toEqual(newer)
    })
  })
}
